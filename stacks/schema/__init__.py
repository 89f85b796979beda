"""The typed configuration of a stack, in the seed's own keys and paths, with the sections of ours beside them."""

from __future__ import annotations

from pydantic import Field

from stacks.schema.azure import AzureSettings
from stacks.schema.base import DnsLabel, Section
from stacks.schema.flow import FlowSettings
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.inference_server import (
    CustomSettings,
    Recipe1Settings,
    Recipe2Settings,
    Recipe3Settings,
    Recipe4Settings,
    ServerSettings,
    StandardSettings,
)
from stacks.schema.ingress import IngressSettings
from stacks.schema.own import GpuPluginSettings, ProtectionSettings, PullSecretSettings, RedisSettings, SessionSettings
from stacks.schema.pools import PoolSettings
from stacks.schema.proxy import ProxySettings
from stacks.schema.proxy_ingress import OUR_CLASS
from stacks.schema.proxy_secrets import PROXY_SECRET_KEYS
from stacks.schema.redis import CONTROL_PLANE_SECRET_KEYS
from stacks.schema.resource_manager import ResourceManagerSettings
from stacks.schema.transcribers import TranscriberSettings

FLOW_SECRETS = {
    "flow-asr-api-key": ("flowAsrApiKey", "the key of Flow's speech to text elsewhere"),
    "flow-eleven-labs-api-key": ("flowElevenLabsApiKey", "Flow's key at ElevenLabs"),
    "flow-openai-api-key": ("flowOpenaiApiKey", "Flow's key at OpenAI"),
    "flow-azure-openai-api-key": ("flowAzureOpenaiApiKey", "Flow's key at Azure OpenAI"),
    "flow-playht-api-key": ("flowPlayhtApiKey", "Flow's key at PlayHT"),
    "flow-playht-user-id": ("flowPlayhtUserId", "Flow's user id at PlayHT"),
    "flow-mp-api-internal-password": ("flowMpApiInternalPassword", "the vendor's management platform's password"),
    "flow-mp-api-key": ("flowMpApiKey", "the key of the vendor's management platform"),
}
"""Keys of Flow's Secret → the flat key of ours and what it is (contract: flow 2.7)."""

SECRET_KEYS = {
    "licenseJson": "the Speechmatics license, the text of license.json",
    "registryPassword": "the password at the vendor's registry",
    **PROXY_SECRET_KEYS,
    **CONTROL_PLANE_SECRET_KEYS,
    "huggingFaceToken": "the token with which vLLM fetches its model from Hugging Face",
    **dict(FLOW_SECRETS.values()),
}
"""Configuration keys that hold a secret, each a flat key of its own: only a top-level key is kept secret everywhere."""


class Settings(Section):
    """A whole stack configuration, without its secrets."""

    global_: GlobalSettings = Field(default_factory=GlobalSettings, alias="global", description="Shared settings.")
    resource_manager: ResourceManagerSettings = Field(
        default_factory=ResourceManagerSettings, description="The resource manager and the sessiongroups-controller."
    )
    transcribers: TranscriberSettings = Field(default_factory=TranscriberSettings, description="All transcribers.")
    inference_server_custom: CustomSettings = Field(
        default_factory=CustomSettings, description="The inference server with a custom set of models."
    )
    inference_server_standard_all: StandardSettings = Field(
        default_factory=StandardSettings, description="The inference server with the standard models of all languages."
    )
    inference_server_enhanced_recipe1: Recipe1Settings = Field(
        default_factory=Recipe1Settings,
        alias="inferenceServerEnhancedRecipe1",
        description="The inference server with enhanced model recipe 1.",
    )
    inference_server_enhanced_recipe2: Recipe2Settings = Field(
        default_factory=Recipe2Settings,
        alias="inferenceServerEnhancedRecipe2",
        description="The inference server with enhanced model recipe 2.",
    )
    inference_server_enhanced_recipe3: Recipe3Settings = Field(
        default_factory=Recipe3Settings,
        alias="inferenceServerEnhancedRecipe3",
        description="The inference server with enhanced model recipe 3.",
    )
    inference_server_enhanced_recipe4: Recipe4Settings = Field(
        default_factory=Recipe4Settings,
        alias="inferenceServerEnhancedRecipe4",
        description="The inference server with enhanced model recipe 4.",
    )
    flow: FlowSettings = Field(default_factory=FlowSettings, description="Conversations with agents.")
    proxy: ProxySettings = Field(default_factory=ProxySettings, description="The proxy in front of the transcribers.")
    azure: AzureSettings = Field(description="The cluster and the network around it.")
    pools: PoolSettings = Field(description="The node pools.")
    ingress: IngressSettings = Field(
        default_factory=IngressSettings, description="The ingress controller in front of the proxy."
    )
    gpu_plugin: GpuPluginSettings = Field(
        default_factory=GpuPluginSettings, description="The GPU plugin on the nodes of every GPU pool."
    )
    redis: RedisSettings = Field(default_factory=RedisSettings, description="The Redis in the cluster.")
    sessions: SessionSettings = Field(default_factory=SessionSettings, description="What clients are promised.")
    protection: ProtectionSettings = Field(
        default_factory=ProtectionSettings, description="Whether what holds sessions may be deleted."
    )
    pull_secret: PullSecretSettings = Field(
        default_factory=PullSecretSettings, description="The image pull secret, when created here."
    )
    release: DnsLabel = Field("realtime", description="Name of the installation, part of several object names.")
    namespace: DnsLabel = Field("speechmatics", description="The one namespace of the platform.")

    @property
    def inference_servers(self) -> dict[str, ServerSettings]:
        """Every inference server by its key, enabled or not, in the contract's order (transcription 14.1)."""
        return {
            "inferenceServerCustom": self.inference_server_custom,
            "inferenceServerStandardAll": self.inference_server_standard_all,
            "inferenceServerEnhancedRecipe1": self.inference_server_enhanced_recipe1,
            "inferenceServerEnhancedRecipe2": self.inference_server_enhanced_recipe2,
            "inferenceServerEnhancedRecipe3": self.inference_server_enhanced_recipe3,
            "inferenceServerEnhancedRecipe4": self.inference_server_enhanced_recipe4,
        }

    def is_ours(self, class_name: str) -> bool:
        """Whether our controller serves the Ingresses of a class."""
        return self.ingress.enabled and class_name == OUR_CLASS

    @property
    def our_ingress(self) -> bool:
        """Whether our controller serves the proxy's Ingress; another one gets the chart's own."""
        return self.is_ours(self.proxy.ingress.ingress_class_name)

    @property
    def our_manager_ingress(self) -> bool:
        """Whether our controller serves the resource manager's Ingresses."""
        return self.is_ours(self.resource_manager.ingress.ingress_class_name)

    @property
    def pod_selectors(self) -> tuple[str, ...]:
        """Full names of the enabled parts that hold sessions, in the chart's order (contract: control plane 10.1)."""
        flow, transcribers = self.flow, self.transcribers
        talking = [flow.fullname_override, *([flow.tts.name] if flow.tts.enabled else [])] if flow.enabled else []
        servers = [each.fullname_override for each in self.inference_servers.values() if each.enabled]
        return (*([transcribers.fullname_override] if transcribers.enabled else []), *talking, *servers)

    @property
    def redis_secret(self) -> str:
        """Name of the Secret with the address of an external Redis and of the cache of dictionaries."""
        manager = self.resource_manager
        return manager.secrets.redis.name or f"{manager.fullname_override}-redis"

    @property
    def database_secret(self) -> str:
        """Name of the Secret with the address of the database."""
        manager = self.resource_manager
        return manager.secrets.database.name or f"{manager.fullname_override}-database"

    @property
    def control_plane_secrets(self) -> dict[str, str]:
        """The flat keys of what the control plane reads from Secrets → the switch that makes it read them."""
        manager = self.resource_manager
        wanted = {
            "redisUrl": ("externalRedis", manager.external_redis.enabled),
            "cdCacheUrl": ("cdCache", manager.cd_cache.enabled),
            "databaseUrl": (
                "reconciliation.repopulation",
                manager.reconciliation.enabled and manager.reconciliation.repopulation.enabled,
            ),
        }
        return {key: f"resourceManager.{section}.enabled" for key, (section, on) in wanted.items() if on}

    @property
    def data_plane(self) -> dict[str, TranscriberSettings | ServerSettings]:
        """What holds sessions, by its key, enabled or not: the transcribers, then every inference server."""
        return {"transcribers": self.transcribers, **self.inference_servers}
