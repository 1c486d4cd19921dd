"""Several callers of one connection: what one does in the middle of another one's call. In virtual time, no threads."""

from datetime import timedelta

from tests.core.support import NOON, driven, ok, one, read, state

from accounting_bridge import MemoryTokens
from accounting_bridge._engine import State
from accounting_bridge.flow import Cached, Token
from accounting_bridge.session import use_renewed

A, RENEWED, B = Token(access="company-a"), Token(access="company-a-renewed"), Token(access="company-b")


async def rates(fresh=False):
    async def asked():
        return (await one(read("/v1/rates"))).body

    return await Cached("rates", asked, fresh=fresh)


def used(driver):
    return [outgoing.headers["authorization"].removeprefix("Bearer ") for outgoing in driver.sent]


def test_rates_that_were_still_being_read_are_not_those_of_the_next_company():
    """The user consents for another one before the answer is there."""
    driver = driven([lambda _: driver.state.use(B) or ok(b"rates of a"), ok(b"rates of b")], token=A)
    assert driver.run(rates()) == b"rates of a"
    assert driver.run(rates()) == b"rates of b"
    assert driver.run(rates()) == b"rates of b"
    assert used(driver) == ["company-a", "company-b"]


def test_what_was_read_on_the_way_to_the_first_grant_is_kept():
    """The first call of a connection finds its grant in the store."""
    store = MemoryTokens()
    store.save("default", "toy", A)
    driver = driven([ok(b"rates of a")], tokens=store)
    assert [driver.run(rates()), driver.run(rates())] == [b"rates of a"] * 2


def test_a_plan_is_not_held_against_rates_that_were_asked_for_before_it_was_applied():
    driver = driven([lambda _: driver.state.forget() or ok(b"19"), ok(b"21")])
    assert driver.run(rates()) == b"19"
    assert driver.run(rates()) == b"21"


def test_what_is_noted_while_somebody_looks_is_not_forgotten():
    driver = driven([lambda _: driver.run(rates(fresh=True)) and ok(b"older"), ok(b"newer")])
    assert driver.run(rates()) == b"older"
    assert driver.run(rates()) == b"newer"
    assert len(driver.sent) == 2


def test_who_asks_for_what_is_new_keeps_it_all_the_same():
    """Another caller was faster with something older."""
    driver = driven([ok(b"first"), lambda _: driver.run(rates(fresh=True)) and ok(b"last"), ok(b"between")])
    driver.run(rates())
    assert driver.run(rates(fresh=True)) == b"last"
    assert driver.run(rates()) == b"last"


def test_a_grant_that_was_renewed_in_the_same_moment_is_not_renewed_again():
    """Asked whether the old one is due, while another thread brings the new one."""
    driver = driven([ok()], token=A)

    class Renewals:
        def due(self, token):
            driver.state.token = RENEWED
            return token is A

    driver.state.renewal = Renewals()
    driver.run(one(read()))
    assert driver.renewed == [A], "of which the session knows that it is renewed already"
    assert used(driver) == ["company-a-renewed"]


class Faster:
    """A lock that somebody else gets first: a consent for another company."""

    connection: State

    def __enter__(self):
        self.connection.token = B

    def __exit__(self, *exc):
        pass


def connection(**more):
    lock = Faster()
    lock.connection = state(token=A, lock=lock, **more)
    return lock.connection


def test_a_consent_is_not_undone_by_a_renewal_that_ends_in_the_same_moment():
    here = connection()
    assert use_renewed(here, A, RENEWED) is True
    assert here.token == B


def test_a_consent_is_not_undone_by_a_look_into_the_store_of_the_same_moment():
    store = MemoryTokens()
    store.save("default", "toy", RENEWED)
    driver = driven([ok()], connection(tokens=store))
    driver.run(one(read()))
    assert used(driver) == ["company-b"]


def test_a_connection_that_rests_after_the_consent_renews_in_time():
    here = state()
    here.use(Token(access="given", refresh="r", expires_at=NOON + timedelta(hours=1)))
    here.clock.turn(3600 - 85)
    assert here.renewal.due(here.token)
    here.clock.seconds = 3600 - 95
    assert not here.renewal.due(here.token)
