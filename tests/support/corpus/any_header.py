"""Any spec that a header or front matter can say."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

words = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn"]),
    min_size=1,
    max_size=30,
)


names = st.from_regex("[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


variables = st.one_of(
    st.builds(lambda value: {"value": value}, words),
    st.builds(
        lambda name, key: {"valueFrom": {"secretKeyRef": {"name": name, "key": key}}}, names, names
    ),
)


zones = {
    "timeZone": st.sampled_from(["Europe/Bucharest", "Etc/UTC"]),
    "startingDeadlineSeconds": st.integers(10, 86400),
}


clocks = st.permutations(["00:00", "08:00", "10:00", "22:59"])


schedules = st.one_of(
    st.fixed_dictionaries({"cron": st.sampled_from(["0 8 * * 1", "*/5 * * * *"])}, optional=zones),
    st.fixed_dictionaries(
        {
            "cron": st.just("0 8 * * 1,4"),
            "everyWeeks": st.integers(2, 52),
            "startDate": st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(str),
        },
        optional=zones,
    ),
    st.fixed_dictionaries(
        {
            "window": clocks.map(
                lambda found: {"cron": "0 0 * * 1-5", "startTime": found[0], "endTime": found[1]}
            )
        },
        optional=zones,
    ),
    st.fixed_dictionaries(
        {
            "once": (
                st.sampled_from(
                    ["2026-12-01T09:00:00", "2026-12-01T09:00:00+02:00", "2026-12-01T09:00:00Z"]
                ).map(lambda at: {"runAt": at})
            )
        },
        optional=zones,
    ),
    st.fixed_dictionaries({}, optional=zones),
)


schemas = st.sampled_from(
    [
        {},
        {"type": "object", "required": ["new-price"]},
        {"properties": {"on": {"enum": ["a-b", 1, 1.5, True, "2026-01-05"]}, "aB": False}},
    ]
)


events = st.fixed_dictionaries({"type": words}, optional={"source": words, "dataSchema": schemas})


others = st.fixed_dictionaries(
    {"job": names}, optional={"on": st.sampled_from(["Succeeded", "Failed", "Finished"])}
)


amounts = st.fixed_dictionaries(
    {},
    optional={"cpu": st.just("1"), "memory": st.just("1Gi"), "ephemeral-storage": st.just("1Gi")},
)


policies = st.sampled_from(
    [
        {},
        {"session": "Continuous"},
        {"session": "Ephemeral"},
        *({"concurrencyPolicy": one} for one in ("Allow", "Forbid", "Replace")),
    ]
)


fields = st.fixed_dictionaries(
    {"description": words},
    optional={
        "schedule": schedules,
        "triggers": st.lists(
            st.one_of(
                st.fixed_dictionaries({"event": events}), st.fixed_dictionaries({"after": others})
            ),
            max_size=3,
        ),
        "packages": st.lists(
            st.sampled_from(["six==1.17.0", "requests==2.32.3", "a==1!2.0rc1"]), unique=True
        ),
        "env": (
            st.dictionaries(
                st.from_regex("[B-IK-OQ-Z]_[A-Z]{1,9}", fullmatch=True), variables, max_size=3
            ).map(lambda found: [{"name": name, **source} for name, source in found.items()])
        ),
        "resources": st.fixed_dictionaries({}, optional={"limits": amounts, "requests": amounts}),
        "workspace": st.fixed_dictionaries({"claimName": names}),
        "timeoutSeconds": st.integers(1, 3540),
        "pauseAfterFailures": st.integers(0, 1000),
        "suspend": st.booleans(),
        "history": st.fixed_dictionaries(
            {},
            optional={
                **dict.fromkeys(["successful", "failed", "outputs"], st.integers(1, 1000)),
                "keepAfterDelete": st.booleans(),
            },
        ),
    },
)


specs = st.builds(lambda found, policy: {**found, **policy}, fields, policies)
