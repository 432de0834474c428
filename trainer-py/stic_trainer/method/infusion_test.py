import pytest

from stic_trainer.method.infusion import infuse, infuse_turn, split_placeholder

TEMPLATE = "Image description:\n{description}\n\n{question}"


def test_a_turn_becomes_image_then_description_then_question() -> None:
    turn = infuse_turn(TEMPLATE, description=" A cat on a mat.\n", turn="<image>\nWhat animal is it?")
    assert turn == "<image>\nImage description:\nA cat on a mat.\n\nWhat animal is it?"


def test_an_image_at_the_end_of_the_turn_comes_first_all_the_same() -> None:
    assert infuse_turn(TEMPLATE, description="A cat.", turn="Which?\n<image>") == "<image>\nImage description:\nA cat.\n\nWhich?"


@pytest.mark.parametrize("template", [TEMPLATE, "{question}\n(It shows: {description})"])
def test_braces_in_the_texts_are_left_alone(template: str) -> None:
    text = infuse(template, description="a {question} mark {0}", question="is {description} a set?")
    assert "a {question} mark {0}" in text
    assert "is {description} a set?" in text
    assert len(text) == len(template) - len("{description}{question}") + len("a {question} mark {0}" + "is {description} a set?")


def test_text_without_a_placeholder_is_left_as_it_is() -> None:
    assert split_placeholder("  keep my spaces ") == (False, "  keep my spaces ")


def test_several_images_in_one_turn_are_refused() -> None:
    with pytest.raises(ValueError, match="2 image placeholders"):
        split_placeholder("<image><image>\nWhich is larger?")
