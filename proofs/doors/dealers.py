"""Two dealers with one of everything in every state, and a canary in each of their words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from actions import absences, bookings, cases, estimates, inbox, messages, offers, pausing, sign_in
from actions.context import House
from actions.visitor import Visitor
from proofs.doors.canaries import spread
from proofs.doors.handed_over import handed_over, witnessed
from rules.service import letters
from schemas.account import Dealer, Role, Staff
from schemas.booking import BookingKind
from schemas.message import Draft, MessageKind, OwnerRecipient, Purpose
from schemas.pause import Awaited
from schemas.signal import BY_PATH
from schemas.thread import Reply
from store import accounts, consents, feedback, fleet, owners, phone, pickups, secrets, slots, threads, vehicles
from store import messages as outbox_rows
from store.pool import Connection, Pool, transaction

_LATER = (datetime(2027, 5, 3, 6, tzinfo=UTC), datetime(2027, 5, 4, 6, tzinfo=UTC))  #: somebody is away then
_SPEED, _LATITUDE = "Vehicle.Speed", "Vehicle.CurrentLocation.Latitude"


@dataclass
class Furnished:
    """One dealer with everything in it. `rows` names a row by noun, and by noun and state where it matters."""

    dealer: Dealer
    canary: str
    people: dict[str, Staff]
    cookies: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)  #: purpose -> token
    keys: dict[str, str] = field(default_factory=dict)  #: label -> key
    vins: list[str] = field(default_factory=list)
    owner_phone: str = ""

    @property
    def id(self) -> int:
        return self.dealer.id


async def furnish(house: House, admin: Pool, *, letter: str, hashed: str = "no password") -> Furnished:
    """A dealer whose canary is `Canary<letter>`; every row is made the way in which the desk makes it, where it makes
    it.
    """
    canary, now = f"Canary{letter}", house.now()
    async with transaction(admin) as connection:
        dealer, people = await _people(connection, canary, letter=letter, hashed=hashed, now=now)
    made = Furnished(dealer, canary, people)
    async with house.at(dealer.id) as connection:
        owner, stranger = await _owners(connection, made, now)
    made.rows |= {"owners": owner, "strangers": stranger}
    for n in range(10):
        async with house.at(dealer.id) as connection:
            await _car(connection, made, n=n, owner=owner, now=now)
    await _visits(house, made)
    async with transaction(admin) as connection:
        await _machines(connection, made, now)
    await _secrets(house, made)
    for name, person in people.items():
        if name == "left advisor":
            continue
        made.cookies[name] = (await sign_in.enter(house, person, Visitor("127.0.0.1"), "password")).session
    async with transaction(admin) as connection:
        await spread(connection, dealer.id, canary)
    return made


async def _people(
    connection: Connection, canary: str, letter: str, hashed: str, now: datetime
) -> tuple[Dealer, dict[str, Staff]]:
    number = ord(letter)
    dealer = await accounts.create_dealer(
        connection,
        name=f"Dealer {canary}",
        zone="Europe/Berlin",
        country="DE",
        phone=f"+4930{number}000",
        address=f"{canary} street 1, Berlin",
        opening_hours="Mo-Su 06:00-22:00",
        language="en",
        now=now,
    )
    await accounts.set_sender(connection, f"+4930{number}999", dealer.id, "phone")
    for kind, count in (("bay", 6), ("loaner", 2)):
        for n in range(count):
            await accounts.add_resource(connection, dealer.id, kind, f"{kind} {n} {canary}")
    people = {}
    for n, name in enumerate(
        (
            "driver",
            "technician",
            "advisor",
            "manager",
            "other driver",
            "another driver",
            "third driver",
            "second driver",
            "second advisor",
            "second manager",
            "left advisor",
            "invited advisor",
        )
    ):
        people[name] = await accounts.add_staff(
            connection,
            dealer.id,
            name=f"{name.title()} {canary}",
            email=f"{name.replace(' ', '.')}@{canary.lower()}.example",
            phone=f"+4930{number}1{n:02}",
            role=Role(name.split()[-1]),
            language="en",
            password_hash=None if "invited" in name else hashed,
            now=now,
        )
    return dealer, people


async def _owners(connection: Connection, made: Furnished, now: datetime) -> tuple[int, int]:
    number = ord(made.canary[-1])
    values = {
        "name": f"Owner {made.canary}",
        "phone": f"+4930{number}500",
        "email": f"owner@{made.canary.lower()}.example",
        "channel": "phone",
        "language": "en",
        "zone": "Europe/Berlin",
        "address": f"{made.canary} lane 5, Berlin",
    }
    made.owner_phone = values["phone"]
    owner = await owners.create(connection, made.id, values, now)
    given = dict.fromkeys((Purpose.SAFETY, Purpose.SERVICE, Purpose.STATUS, Purpose.SURVEY), True)
    await consents.give(
        connection, made.id, owner.id, given, now=now, source=f"desk {made.canary}", wording=f"Yes, {made.canary}."
    )
    for n, (sender, owner_id) in enumerate(((values["phone"], owner.id), (f"+4930{number}777", None))):
        reply = Reply(
            channel="phone",
            provider_id=f"{made.canary}-{n}",
            from_address=sender,
            to_address=made.dealer.phone,
            body=f"Hello {made.canary}",
            received_at=now,
        )
        kept = await threads.keep(connection, made.id, reply, owner_id=owner_id, understood="other", for_a_person=True)
    assert kept is not None
    return owner.id, kept


async def _car(connection: Connection, made: Furnished, n: int, owner: int, now: datetime) -> None:
    vin = f"WTTBDCANARY{made.canary[-1]}{n:05}"
    car = await fleet.add(
        connection,
        made.id,
        vin=vin,
        profile="petrol_hatch",
        title=f"Golf {n} {made.canary}",
        plate=f"{made.canary[-1]}-C {n}",
        actor="proof",
        now=now,
    )
    await fleet.give(connection, made.id, car.id, owner, actor="proof", now=now)
    made.vins.append(vin)
    made.rows[f"vehicles/{n}"] = car.id
    if n != 9:  # one has no credentials yet
        await vehicles.enrol(connection, vin, "0" * 64, now)


async def _visits(house: House, made: Furnished) -> None:
    """A case in each state; the row that an act needs stands under the act's name."""
    rows, dealer, who = made.rows, made.id, f"staff:{made.people['advisor'].id}"

    async def opened(n: int) -> int:
        return (
            await cases.open_by_hand(
                house.acting(dealer, who),
                rows[f"vehicles/{n}"],
                f"It squeals, says {made.canary}",
                title=f"Squeal {made.canary}",
            )
        ).id

    rows["cases"] = await opened(0)
    rows["cases/untaken"] = await opened(8)
    rows["vehicles"], rows["vehicles/free"] = rows["vehicles/0"], rows["vehicles/9"]
    rows["cases/dismissed"] = await opened(1)
    await cases.dismiss(house.acting(dealer, who), rows["cases/dismissed"], f"nothing {made.canary}")
    rows["cases/contacted"] = await opened(2)
    rows["offers"] = (await offers.make(house.acting(dealer, who), rows["cases/contacted"], BookingKind.PICKUP)).id
    for n, (name, kind) in enumerate(
        (
            ("booked", BookingKind.PICKUP),
            ("arrived", BookingKind.WAITING),
            ("working", BookingKind.WAITING),
            ("ready", BookingKind.DROP_OFF),
            ("done", BookingKind.DROP_OFF),
        ),
        3,
    ):
        case = rows[f"cases/{name}"] = await opened(n)
        window = (await bookings.free_windows(house, dealer, kind, count=1))[0].window
        rows[f"bookings/{name}"] = (await bookings.book(house.acting(dealer, who), case, kind, window.starts_at)).id
    for name in ("arrived", "working", "ready", "done"):
        await bookings.arrive(house.acting(dealer, who), rows[f"bookings/{name}"])
    rows["estimates"] = (
        await estimates.add(house.acting(dealer, who), rows["bookings/arrived"], f"Hose {made.canary}", 100)
    ).id
    await pausing.pause(
        house.acting(dealer, who),
        rows["bookings/arrived"],
        awaits=Awaited.PART,
        what=f"Hose {made.canary}",
        due_at=house.now() + timedelta(days=1),
    )
    for name in ("working", "ready", "done"):
        await bookings.start(house.acting(dealer, who), rows[f"bookings/{name}"])
    for name in ("ready", "done"):
        await bookings.finish(house.acting(dealer, who), rows[f"bookings/{name}"], f"mended {made.canary}")
    await bookings.hand_over(house.acting(dealer, who), rows["bookings/done"])
    async with house.at(dealer) as connection:
        found = await pickups.of_booking(connection, dealer, rows["bookings/booked"])
        rows["legs"], leg_driver = next((leg.id, leg.driver_id) for leg in found if leg.kind.value == "collect")
        rows["legs/return"] = next(leg.id for leg in found if leg.kind.value == "return")
    drives = next(name for name, person in made.people.items() if person.id == leg_driver)
    made.people["driver"], made.people[drives] = made.people[drives], made.people["driver"]
    rows["photos"] = await handed_over(house, dealer, made.canary, rows["bookings/done"])
    await messages.send_free(house.acting(dealer, who), f"We will ring, {made.canary}", owner_id=rows["owners"])
    rows["bookings"] = rows["bookings/booked"]
    rows |= {
        "staff": made.people["third driver"].id,
        "inbox": rows["owners"],
        "quick-replies": await inbox.add_quick_reply(
            house.acting(dealer, who), f"Thanks {made.canary}", "en", "Thank you, {owner}."
        ),
        "absences": (
            await absences.add(house.acting(dealer, who), made.people["third driver"].id, *_LATER, "training")
        ).id,
        "staff/left": made.people["left advisor"].id,
        "staff/invited": made.people["invited advisor"].id,
    }
    async with house.at(dealer) as connection:
        for resource in await slots.resources(connection, dealer):
            rows[f"resources/{resource.kind.value}"] = resource.id


async def _machines(connection: Connection, made: Furnished, now: datetime) -> None:
    """What gateway and workers write: readings with a place, newest values, an alert, refusals, a gap, counts, a text
    that came.
    """
    rows, dealer, car = made.rows, made.id, made.rows["vehicles"]
    await connection.execute("UPDATE staff SET disabled_at = $2 WHERE id = $1", rows["staff/left"], now)
    await connection.execute(
        "UPDATE cases SET acknowledged_at = NULL, assignee_id = NULL WHERE id = $1", rows["cases/untaken"]
    )
    day = int(now.timestamp() // 86_400)
    await connection.execute("SELECT open_day($1)", day)
    for seq in range(5):
        await connection.execute(
            """INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, place, ids, vals)
               VALUES ($1, $2, 1, $3, $4, $5, $5, 0, $3, $6, $7)""",
            dealer,
            car,
            seq + 1,
            day,
            now - timedelta(minutes=seq),
            [BY_PATH[_SPEED].id, BY_PATH[_LATITUDE].id],
            [50.0, 52.52],
        )
    await connection.execute(
        "INSERT INTO latest (vehicle_id, dealer_id, ts, values) VALUES ($1, $2, $3, $4)",
        car,
        dealer,
        now,
        {_SPEED: [50.0, now.timestamp()], _LATITUDE: [52.52, now.timestamp()]},
    )
    rows["cases/undrivable"], undrivable = rows["cases/untaken"], (rows["vehicles/8"], "brake_fluid", "now")
    rows["witnesses"] = await witnessed(connection, dealer, rows)
    for about, case in ((undrivable, "cases/undrivable"), ((car, "tyre_pressure", "soon"), "cases")):
        rows["alerts"] = await connection.fetchval(
            """INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity,
                 because, first_at, changed_at, received_at, case_id)
               VALUES ($1, $2, $3, 1, 'front_left', 1, 0, 'active', $4, $5, $6, $6, $6, $7) RETURNING id""",
            *(dealer, *about, f"low, {made.canary}", now, rows[case]),
        )
    rows["corrections"] = await connection.fetchval(
        "INSERT INTO unit_corrections (dealer_id, vehicle_id, signals, unit, because, accepted_by, accepted_at) "
        "VALUES ($1, $2, '{1}', 'mph', $3, 'staff:1', $4) RETURNING id",
        dealer,
        car,
        f"by its speed, {made.canary}",
        now,
    )
    for name, decided in (("quarantine", None), ("quarantine/second", None), ("quarantine/rejected", "rejected")):
        rows[name] = await connection.fetchval(
            """INSERT INTO quarantine (dealer_id, vehicle_id, vin, topic, payload, reason, detail, received_at, decided)
               VALUES ($1, $2, $3, $4, $5, 'odometer', $6, $7, $8) RETURNING id""",
            dealer,
            car,
            made.vins[0],
            f"vehicles/{made.canary}",
            made.canary.encode(),
            made.canary,
            now,
            decided,
        )
    await connection.execute(
        "INSERT INTO gaps (dealer_id, vehicle_id, boot, first_seq, last_seq, opened_at) VALUES ($1, $2, 1, 9, 11, $3)",
        dealer,
        car,
        now,
    )
    await connection.execute(
        "INSERT INTO tallies (dealer_id, name, subject, last_at, times, detail) "
        "VALUES ($1, 'denied_publish', $2, $3, 3, $4)",
        dealer,
        made.vins[0],
        now,
        made.canary,
    )
    await phone.put(
        connection,
        dealer,
        reference=f"{made.canary}-text",
        from_address=made.dealer.phone,
        to_address=made.owner_phone,
        body=f"Text {made.canary}",
        at=now,
    )
    rows["feedback"] = rows["cases/done"]
    await feedback.ask(connection, dealer, case_id=rows["cases/done"], owner_id=rows["owners"], now=now)


async def _secrets(house: House, made: Furnished) -> None:
    """A link of each purpose and a key; what they open is this dealer's."""
    rows, now = made.rows, house.now()
    subjects = {
        "offer": rows["offers"],
        "journey": rows["bookings/booked"],
        "feedback": rows["cases/done"],
        "driver": rows["legs"],
    }
    async with house.at(made.id) as connection:
        for purpose, subject in subjects.items():
            owner = None if purpose == "driver" else rows["owners"]
            staff = made.people["driver"].id if purpose == "driver" else None
            made.links[purpose] = await secrets.make(
                connection,
                made.id,
                purpose,
                now=now,
                expires_at=now + timedelta(days=9),
                owner_id=owner,
                staff_id=staff,
                subject_id=subject,
            )
        made.links["invitation"] = await secrets.make(
            connection,
            made.id,
            "invitation",
            now=now,
            expires_at=now + timedelta(days=7),
            staff_id=made.people["second advisor"].id,
            label=made.canary,
        )
        made.links["end"] = await _mailed(house, connection, made)
        for label in ("all", "second"):
            made.keys[label] = await secrets.make(
                connection, made.id, "api_key", now=now, label=f"{label} {made.canary}"
            )


async def _mailed(house: House, connection: Connection, made: Furnished) -> str:
    """What ends the mails that go where one went."""
    mailbox = f"mailbox@{made.canary.lower()}.example"
    draft = Draft(
        dealer_id=made.id,
        to=OwnerRecipient(made.rows["owners"], "email", mailbox, "en"),
        kind=MessageKind.FREE,
        purpose=Purpose.STATUS,
        author="system",
        due_at=house.now() + timedelta(days=900),
    )
    found = await outbox_rows.queue(connection, draft, f"Mail {made.canary}", house.now())
    return letters.end_token(await house.key_holder.key(connection), made.id, found)
