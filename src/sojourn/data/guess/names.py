"""Names under which platforms keep what the contract asks for."""

from __future__ import annotations

import re

from sojourn.core.schema import CONTRACT

#: Other names of a column, the likelier first, without spaces, marks and capitals.
OTHERS: dict[str, tuple[str, ...]] = {
    "member_id": (
        "memberid", "userid", "uid", "customerid", "customer", "clientid", "accountid", "householdid", "user",
        "member", "client", "buyer", "sender", "src", "kundennummer", "kundenid", "kunde", "会员id", "用户id",
        "会员编号", "id",
    ),
    "occurred_at": (
        "occurredat", "timestamp", "eventtime", "eventtimestamp", "datetime", "ts", "time", "unixts", "date",
        "createdat", "invoicedate", "orderdate", "transactiondate", "purchasedate", "zeitpunkt", "zeit",
        "datum", "时间", "日期",
    ),
    "event": (
        "event", "eventname", "eventtype", "action", "activity", "type", "ereignis", "aktion", "事件", "行为",
    ),
    "feature": ("feature", "screen", "page", "module", "section"),
    "item_id": ("itemid", "productid", "sku", "stockcode", "articleid", "contentid", "artikel", "商品id"),
    "amount": (
        "amount", "revenue", "total", "sales", "salesvalue", "value", "price", "paid", "betrag", "umsatz",
        "金额",
    ),
    "recorded_at": ("recordedat", "loadedat", "ingestedat", "receivedat", "insertedat"),
    "joined_at": (
        "joinedat", "joindate", "signupdate", "signup", "signedupat", "registeredat", "registrationdate",
        "createdat", "startdate", "membersince", "joined", "joinedon", "registered", "beitritt",
        "angemeldetam", "注册时间",
    ),
    "churned_at": (
        "churnedat", "churndate", "cancelledat", "canceledat", "cancellationdate", "enddate", "leftat",
        "deactivatedat", "left", "lefton", "leftdate", "churned", "cancelledon", "cancelled", "gekuendigtam",
        "kuendigung", "注销时间",
    ),
    "churn_reason": ("churnreason", "cancellationreason", "cancelreason", "reason", "kuendigungsgrund"),
    "channel": ("channel", "source", "acquisitionchannel", "utmsource", "kanal", "渠道"),
    "plan": ("plan", "tier", "subscription", "contract", "tarif", "套餐"),
    "birth_year": ("birthyear", "yearofbirth", "yob", "geburtsjahr", "出生年份"),
    "age_band": ("ageband", "agegroup", "agerange"),
    "gender": ("gender", "sex", "geschlecht", "性别"),
    "region": ("region", "country", "state", "city", "land", "地区"),
    "referred_by": ("referredby", "referrer", "inviter", "invitedby"),
    "consent": ("consent", "optin", "gdprconsent", "einwilligung"),
    "assigned_at": (
        "assignedat", "assignedon", "assigned", "assignmentdate", "enrolledat", "exposedat", "timestamp",
        "date",
    ),
    "scheme": ("scheme", "variant", "arm", "group", "treatment", "version"),
    "trial": ("trial", "experiment", "test", "experimentid"),
}  # fmt: skip


#: Names of quantity and of price, whose product is what was paid.
FACTORS: tuple[tuple[str, ...], tuple[str, ...]] = (
    ("quantity", "qty", "menge", "数量"),
    ("unitprice", "price", "einzelpreis", "preis", "单价"),
)


def plain(name: str) -> str:
    """Return a name without capitals, spaces and marks, as names are compared."""
    return re.sub(r"[\W_]+", "", name).lower()


def rank(ours: str, theirs: str) -> int | None:
    """Return how likely a column of theirs is one of ours by its name: 0 is the likeliest, None is not.

    Parameters
    ----------
    ours, theirs : str
        Name in the contract, and in the file.
    """
    if plain(ours) == plain(theirs):
        return 0
    others = OTHERS.get(ours, ())
    return others.index(plain(theirs)) + 1 if plain(theirs) in others else None


def kind_of(table: str, ours: str) -> str:
    """Return the type of a column of the contract."""
    return CONTRACT[table].column(ours).type
