"""An encoder as benchmarks/peers/encoders describes: Pillow's JPEG, but it may misbehave.

Arguments: the file each asked setting is appended to, and `well`, `refuse` or `die`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image


def main() -> None:
    log, how = Path(sys.argv[1]), sys.argv[2]
    print(json.dumps({"version": "fake 1"}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        with log.open("a") as stream:
            stream.write(f"{request['setting']}\n")
        if how == "die":
            sys.exit(3)
        if how == "refuse":
            print(json.dumps({"error": "not today"}), flush=True)
            continue
        with Image.open(request["source"]) as image:
            image.save(request["output"], "JPEG", quality=request["setting"])
        print(json.dumps({"cpu": 0.5, "method": "fake", "probes": 2}), flush=True)


if __name__ == "__main__":
    main()
