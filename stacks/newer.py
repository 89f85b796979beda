"""Keys of newer charts than 0.6.0: those this program does not have, and what those that it has are here."""

from __future__ import annotations

NEWER = {
    "proxy.proxy.config.maxChannelsPerSession": "of chart 0.7.0; the proxy of 0.6.0 does not know it",
    "resourceManager.sessionGroups.controller.enabled": "of chart 0.7.0; here it is "
    "`resourceManager.sessionGroups.enabled`",
    "resourceManager.secrets.cdCache.name": "of chart 0.7.0, where a Redis Secret may be named so; use "
    "`resourceManager.secrets.redis.name`",
    "flow.tts.voices": "of chart 0.7.0, which has a TTS for each voice; 0.6.0 has one",
    "inferenceServerCustom.tritonServer.languages": "of newer charts; here the server registers their models at the "
    "vendor's costs, and those of `customModelCosts` come first",
    "*.sessionGroups.scaling.timeOfDay": "of chart 0.7.0; the resource definition of 0.6.0 has no such field",
}
"""Key, `*` being any part → what there is to know of it."""
