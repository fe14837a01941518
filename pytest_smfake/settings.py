"""The settings of a fake. The fake, its decorator, the marker, the ini file, the command and the admin API use this table."""

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
"""Settings that matter only in the process of the fake: they are not sent to a server in another process."""
MERGED = ("rules", "limits")
"""Settings whose entries are merged from the nearest marker, outer markers, and the ini file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The settings of a fake. `FakeSageMaker` documents each of them.

    Raises:
        ValueError: an invalid value.

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
        from .rules.inputs import check_account, shown
        from .rules.service_model import check_region
        from .service.clock import Clock

        for name, (wanted, expected) in EXPECTED.items():
            value = getattr(self, name)
            if not isinstance(value, wanted) or (wanted is Iterable and isinstance(value, str | bytes | Mapping)):
                raise ValueError(f"{name}={shown(value)} is not {expected}")
        if not isinstance(self.clock, Clock | None):
            raise ValueError(f"clock must be a Clock, such as the attribute clock of another fake, got {shown(self.clock)}")
        for name in ("faults", "allow"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # an iterator can be read only once
        if not all(isinstance(host, str) for host in self.allow):
            raise ValueError(f"allow={shown(self.allow)} is not {EXPECTED['allow'][1]}")
        check_region(self.region, stacklevel=5)  # 5: a warning names the line that makes the fake
        check_account(self.account)

    def keywords(self) -> dict[str, Any]:
        """Return the settings as keywords of `FakeSageMaker`."""
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(setting.name for setting in fields(Settings))
"""The keywords of `FakeSageMaker`, of the decorator and of the marker."""
DEFAULTS: dict[str, Any] = {setting.name: setting.default for setting in fields(Settings)}
CROSSING = tuple(name for name in NAMES if name not in LOCAL)
"""The settings that are sent to a server in another process."""
EXPECTED: dict[str, tuple[Any, str]] = {
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
"""The type of each setting, and its description for error texts. `Signatures` checks `auth` and `keys`."""
