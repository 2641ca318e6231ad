#!/usr/bin/env python3
"""Squall from a clone: `python run_chaos.py --config config/config.yaml`; installed, the same is called `squall`."""

from chaos_modules.cli.main import console

if __name__ == "__main__":
    console()
