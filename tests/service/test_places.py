"""Regions and accounts as users write them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_smfake import FakeSageMaker, UnlistedRegionWarning
from pytest_smfake.rules.service_model import COMMON_REGIONS, check_region, listed_regions

TEXT = "'eu-wets-1' is not a region that the installed botocore lists; near it: eu-west-1"


def test_the_common_regions_are_listed():
    assert listed_regions() >= COMMON_REGIONS
    assert {"cn-north-1", "us-gov-west-1", "mx-central-1"} <= listed_regions()


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"])
def test_a_listed_region_is_not_warned_of(region):
    FakeSageMaker(region=region).at(region=region)


def test_a_misspelled_region_is_a_warning_at_the_line_that_has_it():
    with pytest.warns(UnlistedRegionWarning) as caught:  # noqa: PT031  # four warnings, each at a line of its own
        fake = FakeSageMaker(region="eu-wets-1")
        fake.at(region="eu-wets-1")
        fake.limit("models", 5, region="eu-wets-1")
        fake.limit("models@eu-wets-1", 5)
    assert [(str(warning.message), warning.filename) for warning in caught] == [(TEXT, __file__)] * 4
    assert fake.region == "eu-wets-1"


def test_a_region_with_swapped_letters_is_near():
    with pytest.warns(UnlistedRegionWarning, match="'us-esat-1' is not a region that the installed botocore lists; near it: us-east-1$"):
        check_region("us-esat-1")


def test_nothing_is_near():
    with pytest.warns(UnlistedRegionWarning, match="'xx-yyyyyyy-9' is not a region that the installed botocore lists; near it: none"):
        check_region("xx-yyyyyyy-9")


def test_of_a_common_region_botocore_is_not_asked():
    code = "import sys; from pytest_smfake.rules.service_model import check_region; check_region('eu-west-1'); print('botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("region", ["", "Ireland", "nowhere", "us-east-1\n", "a1" * 5000, 7])
def test_what_is_no_region(smfake, region):
    for call in (smfake.at, FakeSageMaker):
        with pytest.raises(ValueError, match="is not the name of a region; one looks like us-east-1|region=7 is not the name of a region"):
            call(region=region)


@pytest.mark.parametrize("account", ["", "1", "12345678901a", "١٢٣٤٥٦٧٨٩٠١٢", 123456789012])
def test_what_is_no_account(smfake, account):
    for call in (lambda account: smfake.at(account=account), lambda account: smfake.client(account=account)):
        with pytest.raises(ValueError, match="is not an account id, which is a string of 12 digits"):
            call(account)
