"""The settings of a fake: the one table that the fake, its decorator, the marker, the ini file, the command and the admin API read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import NoneType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .protocol.signatures import AccessKey, Auth
    from .rules.rule import Edition
    from .service.clock import Clock

LOCAL = ("allow", "real_sleep", "clock", "credentials")
"""Settings that are about the process of the fake alone: they do not cross to a server in another one."""
MERGED = ("rules", "limits")
"""Settings whose entries are merged, so that an outer marker, or the ini file, fills in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The settings of a fake; `FakeSageMaker` says what each of them is.

    Raises:
        ValueError: a value that cannot be; the sentence names it and what would be right.

    Example:
        >>> Settings(region="eu-west-1").keywords()["region"]
        'eu-west-1'
    """

    region: str = "us-east-1"
    account: str = "123456789012"
    edition: Edition = "page"
    rules: Mapping[str, Any] | None = None
    limits: Mapping[str, int] | None = None
    faults: Iterable[tuple[str, str] | Mapping[str, Any]] = ()
    auth: Auth = "lenient"
    keys: Mapping[str, AccessKey | str | Mapping[str, Any]] | None = field(default=None, repr=False)  # secrets are not printed
    allow: Iterable[str] = ()
    real_sleep: bool = False
    clock: Clock | None = None
    credentials: bool = True

    def __post_init__(self) -> None:
        from .rules.inputs import shown
        from .service.arns import check_account, check_region
        from .service.clock import Clock

        for name, (wanted, right) in FORMS.items():
            value = getattr(self, name)
            if not isinstance(value, wanted) or (wanted is Iterable and isinstance(value, str | bytes | Mapping)):
                raise ValueError(f"{name}={shown(value)} is not {right}")
        if not isinstance(self.clock, Clock | None):
            raise ValueError(f"clock={shown(self.clock)} is not a Clock; that of another fake is its attribute clock")
        for name in ("faults", "allow"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # what can be gone through once is kept
        if not all(isinstance(host, str) for host in self.allow):
            raise ValueError(f"allow={shown(self.allow)} is not {FORMS['allow'][1]}")
        check_region(self.region, stacklevel=5)  # the line that makes the fake
        check_account(self.account)

    def keywords(self) -> dict[str, Any]:
        """Return the settings as keywords of `FakeSageMaker`."""
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(setting.name for setting in fields(Settings))
"""The keywords of `FakeSageMaker`, which the decorator and the marker take, too."""
DEFAULTS: dict[str, Any] = {setting.name: setting.default for setting in fields(Settings)}
CROSSING = tuple(name for name in NAMES if name not in LOCAL)
"""The settings of a world on a server."""
FORMS: dict[str, tuple[Any, str]] = {
    "region": (str, "the name of a region, such as 'us-east-1'"),
    "account": (str, "an account id, which is a string of 12 digits"),
    "edition": (str, "an edition; there are: page, sdk"),
    "rules": (Mapping | NoneType, "a dict, such as {'CreateModel/Containers:max': 15}"),
    "limits": (Mapping | NoneType, "a dict, such as {'models': 5}"),
    "faults": (Iterable, "a list of pairs (operation, code), or of dicts"),
    "allow": (Iterable, "a list of hosts, such as ['minio.internal:9000']"),
    "real_sleep": (bool, "True or False"),
    "credentials": (bool, "True or False"),
}
"""What the settings have to be, and the words for it; `auth` and `keys` are read by who verifies signatures."""
