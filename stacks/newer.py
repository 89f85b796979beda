"""Keys of newer charts than 0.6.0 that this program does not have, and why."""

from __future__ import annotations

_LANGUAGES = (
    "of newer charts; what their templates make of it is not known. Here the custom server's languages are those whose "
    "models are named in `inferenceServerCustom.inferenceSidecar.registerFeatures.customModelCosts` "
    "(`<language>:<model>`), which is what a lookup can find"
)

NEWER = {
    "proxy.proxy.config.maxChannelsPerSession": "of chart 0.7.0; the proxy of 0.6.0 does not know it",
    "resourceManager.sessionGroups.controller.enabled": "of chart 0.7.0; here it is "
    "`resourceManager.sessionGroups.enabled`",
    "resourceManager.secrets.cdCache.name": "of chart 0.7.0, where a Redis Secret may be named so; use "
    "`resourceManager.secrets.redis.name`",
    "flow.tts.voices": "of chart 0.7.0, which has a TTS for each voice; 0.6.0 has one",
    "inferenceServerCustom.languages": _LANGUAGES,
    "inferenceServerCustom.tritonServer.languages": _LANGUAGES,
    "*.sessionGroups.scaling.timeOfDay": "of chart 0.7.0; the resource definition of 0.6.0 has no such field",
}
"""Keys of newer charts than 0.6.0 that its images and resource definition do not know."""
