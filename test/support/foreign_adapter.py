"""Writes an adapter as anyone trains one, with transformers and PEFT alone: ``python foreign_adapter.py MODEL FOLDER TARGET_MODULES``."""

import sys

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForImageTextToText


def main(model: str, folder: str, target_modules: str) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(5)
    base = AutoModelForImageTextToText.from_pretrained(model, dtype=torch.float32)
    adapted = get_peft_model(base, LoraConfig(r=8, lora_alpha=16, target_modules=target_modules))
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if ".lora_B." in name:
                parameter.copy_(torch.randn(parameter.shape) * 0.02)
    adapted.save_pretrained(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
