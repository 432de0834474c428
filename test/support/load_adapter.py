"""Loads an adapter as anyone would, with transformers and PEFT alone, and prints what it does as JSON.

``python load_adapter.py MODEL ADAPTER PICTURE``
"""

import json
import sys

import torch
from peft import PeftModel
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor


def main(model: str, adapter: str, picture: str) -> None:
    torch.set_num_threads(1)
    processor = AutoProcessor.from_pretrained(model)
    policy = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(model, dtype=torch.float32), adapter).eval()
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What does the picture show?"}]}]
    text = processor.apply_chat_template(chat, add_generation_prompt=True)
    inputs = processor(images=Image.open(picture).convert("RGB"), text=text, return_tensors="pt")
    inputs.pop("token_type_ids", None)
    with torch.no_grad():
        adapted = policy(**inputs).logits
        with policy.disable_adapter():
            plain = policy(**inputs).logits
        told = policy.generate(**inputs, do_sample=False, max_new_tokens=24)
    layers = [name for name, _ in policy.named_modules() if name.endswith("lora_B.default")]
    weights = {name: value for name, value in policy.named_parameters() if ".lora_B." in name}
    print(
        json.dumps(
            {
                "layers": len(layers),
                "elsewhere": [name for name in layers if ".language_model." not in name],
                "untrained": [name for name, value in weights.items() if not value.any()],
                "moved": float((adapted - plain).abs().max()),
                "text": processor.decode(told[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
