from __future__ import annotations

import os

# Every process of OTTO passes here before it imports anything large. Libraries that would ask
# hosts on the internet, or queue facts about this machine under the home folder, are told not to.
os.environ |= {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
