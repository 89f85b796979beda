"""Azure's refusals, in the words of the azure-native provider.

The text of an error is what the program's guards and people read, so it has azure-native's own form:
`Status=404 Code="ResourceNotFound" Message="..."` (pulumi-azure-native provider/pkg/azure/client_azcore.go,
`PulumiAzcoreResponseError.Error`); an invoke puts `request failed <path>: ` before it (provider.go, `Invoke`).
"""

from __future__ import annotations


class ArmError(Exception):
    """Azure Resource Manager's answer to a request it refuses: HTTP status, error code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(str(self))

    def __str__(self) -> str:
        return f'Status={self.status} Code="{self.code}" Message="{self.message}"'


class ProviderError(Exception):
    """A refusal of the provider itself, before anything is asked of Azure."""


class NotPlayedError(ProviderError):
    """Azure would do it; this stand-in does not play it, and says so rather than wave it through."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the local Azure stand-in does not play this: {what}")


def already_exists(resource_id: str) -> ProviderError:
    """azure-native's own guard before a create (client_azcore.go, `CanCreate`)."""
    return ProviderError(f"cannot create already existing resource '{resource_id}'")


def invalid(message: str, code: str = "InvalidParameter") -> ArmError:
    return ArmError(400, code, message)


def change_not_allowed(path: str) -> ArmError:
    """AKS's refusal to change an immutable property (wording: pulumi-azure-native#959)."""
    return ArmError(400, "PropertyChangeNotAllowed", f"Changing property '{path}' is not allowed.")


def operation_in_progress(running: str) -> ArmError:
    """AKS's refusal of a second operation on a cluster (wording: cilium/cilium#25944, AVM aks-production#25).

    azure-native repeats a request only for 409 with code AnotherOperationInProgress (client_azcore.go,
    `shouldRetryConflict`), so this one reaches the user at once.
    """
    return ArmError(
        409,
        "OperationNotAllowed",
        f"Operation is not allowed: Another {running} is in progress, please wait for it to finish before starting "
        "a new operation. See https://aka.ms/aks-pending-operation for more details",
    )
