"""What the columns of goods are called: how formats write them, what readers see, which of them are secret."""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

LABELS: dict[str, Promise] = {
    "login": pgettext_lazy("goods", "Login"),
    "password": gettext_lazy("Password"),
    "email": gettext_lazy("Email"),
    "email_password": gettext_lazy("Email password"),
    "cookies": gettext_lazy("Cookies"),
    "two_factor": gettext_lazy("2FA secret"),
    "backup_codes": gettext_lazy("Backup codes"),
    "token": gettext_lazy("Token"),
    "phone": gettext_lazy("Phone"),
    "recovery": gettext_lazy("Recovery"),
    "recovery_email": gettext_lazy("Recovery email"),
    "recovery_password": gettext_lazy("Recovery email password"),
    "url": gettext_lazy("Link"),
    "key": gettext_lazy("Key"),
    "proxy": gettext_lazy("Proxy"),
    "user_agent": gettext_lazy("User agent"),
    "profile_id": gettext_lazy("ID"),
    "name": gettext_lazy("Name"),
    "date": gettext_lazy("Date"),
    "birthday": gettext_lazy("Date of birth"),
    "country": gettext_lazy("Country"),
    "security_answer": gettext_lazy("Security answer"),
    "note": gettext_lazy("Note"),
}
# Nobody who looks over a shoulder can use these alone. Everything else is masked, whatever it is called.
OPEN = {
    *("login", "email", "recovery_email", "phone", "url", "user_agent", "profile_id", "name", "date", "birthday"),
    *("country", "note"),
}  # fmt: skip
_SPELLINGS = {
    "login": "login log user username account acc nick nickname логин пользователь имяпользователя аккаунт",
    "password": "password pass pwd passwd pw пароль пасс",
    "email": "email mail emailaddress gmail почта имейл емейл емайл",
    "email_password": "emailpassword emailpass mailpassword mailpass passmail passemail passwordemail passwordmail "
    "emailpwd mailpwd парольпочты парольотпочты почтапароль",
    "cookies": "cookies cookie cookiesjson jsoncookies cookiejson куки кукисы",
    "two_factor": "2fa twofactor 2fasecret 2fakey 2facode totp otp otpsecret secret secretkey 2фа двухфакторка",
    "backup_codes": "backupcodes backupcode backup recoverycodes recoverycode резервныекоды",
    "token": "token authtoken accesstoken auth refreshtoken sessiontoken session токен",
    "phone": "phone phonenumber number tel телефон номер номертелефона",
    "recovery": "recovery rec reserve резерв",
    "recovery_email": "recoveryemail recoverymail backupemail reservemail резервнаяпочта",
    "recovery_password": "recoverypassword recoverypass recoveryemailpassword recoverymailpass парольрезервнойпочты",
    "url": "url link profile profilelink profileurl ссылка",
    "key": "key licensekey license serial code activationkey activationcode productkey ключ код",
    "proxy": "proxy прокси",
    "user_agent": "useragent ua юзерагент",
    "profile_id": "id uid userid accountid profileid ид айди",
    "name": "name fullname firstname lastname имя",
    "date": "date regdate registered created дата датарегистрации",
    "birthday": "birthday birthdate dob dateofbirth датарождения др",
    "country": "country geo region страна гео",
    "security_answer": "answer securityanswer secretanswer ответ",
    "note": "note notes comment other info прочее примечание",
}
_NAME_OF = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings.split()}
_BETWEEN = re.compile(r"[\s_\-.+()\[\]{}<>*'\"#]+")
UNNAMED = "field"


def column_of(written: str) -> str:
    """Return the column that a word of a format means; "" for one that we don't know."""
    return _NAME_OF.get(_BETWEEN.sub("", written.lower()), "")


def columns_of(written: list[str]) -> tuple[str, ...]:
    """Return the columns that the words of a format mean, no two alike; a word we don't know is its own column.

    A second password is that of the address before it: "login:pass:mail:pass".
    """
    columns: list[str] = []
    for word in written:
        column = column_of(word) or " ".join(word.split())
        if column == "password" and column in columns:
            before = columns[-1]
            column = {"email": "email_password", "recovery_email": "recovery_password"}.get(before, column)
        elif column == "email" and column in columns:
            column = "recovery_email"
        columns.append(_only_once(column, columns))
    return tuple(columns)


def label_of(column: str) -> str:
    """Return what readers see above a column."""
    base, _space, number = column.rpartition(" ")
    if base == UNNAMED:
        return _("Field %(number)s") % {"number": number}
    if column in LABELS:
        return str(LABELS[column])
    if base in LABELS and number.isdigit():
        return f"{LABELS[base]} {number}"
    return column


def is_secret(column: str) -> bool:
    """Whether a column is masked until its reader wants to see it."""
    base, _space, number = column.rpartition(" ")
    # A second address is an address; an "email pin" is no address.
    return column not in OPEN and not (number.isdigit() and base in OPEN)


def _only_once(column: str, before: list[str]) -> str:
    number, found = 2, column
    while found in before:
        found, number = f"{column} {number}", number + 1
    return found
