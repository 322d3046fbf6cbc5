"""The words a catalog is made of: networks, kinds of work, goods, countries, projects."""

from typing import NamedTuple


class Work(NamedTuple):
    """One subcategory of a network: what it is called, the usual cents per thousand, and its upstream type."""

    name: str
    cents: int
    type: str = "Default"


class Goods(NamedTuple):
    """One category of products: its subcategories, and the usual cents for one piece."""

    category: str
    subcategories: tuple[str, ...]
    cents: int


FOLLOWERS = Work("Followers", 120)
LIKES = Work("Likes", 45)
VIEWS = Work("Views", 8)
COMMENTS = Work("Comments", 900, "Custom Comments")
SHARES = Work("Shares", 60)
SAVES = Work("Saves", 35)
SUBSCRIBERS = Work("Subscribers", 650)
MEMBERS = Work("Members", 140)
REACTIONS = Work("Reactions", 30)
PLAYS = Work("Plays", 70)
LIVE = Work("Live Viewers", 1600)
REVIEWS = Work("Reviews", 9000, "Custom Comments")
VISITORS = Work("Visitors", 55)
POLLS = Work("Poll Votes", 180, "Poll")
REPOSTS = Work("Reposts", 260)

PICTURES = (FOLLOWERS, COMMENTS, LIKES, VIEWS, SHARES, SAVES, LIVE)
VIDEOS = (SUBSCRIBERS, VIEWS, LIKES, COMMENTS, SHARES, LIVE)
CHATS = (MEMBERS, VIEWS, REACTIONS, COMMENTS, POLLS)
POSTS = (FOLLOWERS, LIKES, REPOSTS, COMMENTS, VIEWS, POLLS)
MUSIC = (PLAYS, FOLLOWERS, SAVES, LIKES)
STREAMS = (FOLLOWERS, LIVE, VIEWS)
PLACES = (REVIEWS, LIKES, VISITORS)

# Names repeat across networks on purpose ("Followers").
NETWORKS: tuple[tuple[str, tuple[Work, ...]], ...] = (
    ("Instagram", PICTURES),
    ("TikTok", PICTURES),
    ("YouTube", VIDEOS),
    ("Telegram", CHATS),
    ("VK", POSTS),
    ("Spotify", MUSIC),
    ("X (Twitter)", POSTS),
    ("Facebook", POSTS),
    ("Twitch", STREAMS),
    ("Discord", CHATS),
    ("Threads", POSTS),
    ("LinkedIn", POSTS),
    ("Pinterest", PICTURES),
    ("Reddit", POSTS),
    ("Snapchat", PICTURES),
    ("SoundCloud", MUSIC),
    ("WhatsApp Channels", CHATS),
    ("Kick", STREAMS),
    ("Rumble", VIDEOS),
    ("Quora", POSTS),
    ("Odnoklassniki", POSTS),
    ("Rutube", VIDEOS),
    ("Dzen", POSTS),
    ("Bluesky", POSTS),
    ("Tumblr", POSTS),
    ("Vimeo", VIDEOS),
    ("Dailymotion", VIDEOS),
    ("Deezer", MUSIC),
    ("Apple Music", MUSIC),
    ("Tidal", MUSIC),
    ("Audiomack", MUSIC),
    ("Shazam", MUSIC),
    ("Mixcloud", MUSIC),
    ("Google Maps", PLACES),
    ("Trustpilot", PLACES),
    ("Google Play", PLACES),
    ("App Store", PLACES),
    ("Website Traffic", (VISITORS, VIEWS)),
    ("Likee", PICTURES),
    ("Trovo", STREAMS),
    ("Bilibili", VIDEOS),
    ("Steam", (FOLLOWERS, MEMBERS, REVIEWS)),
)

GOODS: tuple[Goods, ...] = (
    Goods("Email Accounts", ("Gmail", "Outlook", "Hotmail", "Yahoo", "Proton Mail"), 45),
    Goods("Instagram Accounts", ("Aged", "Fresh", "With Followers"), 180),
    Goods("VPN", ("NordVPN", "ExpressVPN", "Surfshark", "Proton VPN"), 320),
    Goods("Streaming", ("Netflix", "Disney+", "HBO Max", "Prime Video", "Crunchyroll"), 410),
    Goods("Facebook Accounts", ("Aged", "Fresh", "Business Manager"), 260),
    Goods("Telegram Accounts", ("Aged", "Fresh", "Sessions"), 150),
    Goods("X Accounts", ("Aged", "Fresh", "With Followers"), 95),
    Goods("TikTok Accounts", ("Aged", "Fresh", "With Followers"), 130),
    Goods("Discord Accounts", ("Aged", "Fresh", "Tokens"), 40),
    Goods("Reddit Accounts", ("Aged", "Fresh", "With Karma"), 240),
    Goods("LinkedIn Accounts", ("Aged", "Fresh", "With Connections"), 520),
    Goods("YouTube Accounts", ("Aged", "Fresh", "Monetized"), 390),
    Goods("Music Subscriptions", ("Spotify Premium", "Apple Music", "Deezer", "Tidal"), 280),
    Goods("AI Tools", ("ChatGPT Plus", "Claude Pro", "Midjourney", "Perplexity"), 900),
    Goods("Design Tools", ("Canva Pro", "Adobe CC", "Figma", "Envato"), 480),
    Goods("Software Keys", ("Windows", "Office", "Antivirus"), 650),
    Goods("Proxies", ("Residential", "Mobile", "Datacenter"), 110),
    Goods("Game Keys", ("Steam", "Xbox", "PlayStation", "Minecraft"), 760),
)

QUALITIES = ("Real", "High Quality", "Premium", "Mixed", "Old Accounts", "Active", "Economy", "100% Organic")
GEOS = ("Worldwide", "USA", "Russia", "Brazil", "Turkey", "India", "Arab", "Germany", "Indonesia", "Europe")
SPEEDS = ("500/Day", "1K/Day", "5K/Day", "10K/Day", "50K/Day", "Instant", "Slow Drip", "Start 0-1 Hour")
REFILLS = (0, 0, 15, 30, 60, 90, 365)
AGES = ("2012-2016", "2017", "2019", "2021", "2023", "30 Days Warm-up")
TERMS = ("1 Month", "3 Months", "6 Months", "12 Months", "Lifetime")
EXTRAS = ("Phone Verified", "2FA", "With Recovery Mail", "Cookies Included", "Full Access", "Replacement 24h")
CONDITIONS = ("Full Warranty", "Private", "Shared", "Renewable", "New Key", "Instant Delivery")

COUNTRIES: tuple[tuple[str, str, str], ...] = (
    ("us", "United States", "1"), ("gb", "United Kingdom", "44"), ("de", "Germany", "49"),
    ("fr", "France", "33"), ("ru", "Russia", "7"), ("ua", "Ukraine", "380"), ("kz", "Kazakhstan", "7"),
    ("pl", "Poland", "48"), ("nl", "Netherlands", "31"), ("es", "Spain", "34"), ("it", "Italy", "39"),
    ("pt", "Portugal", "351"), ("se", "Sweden", "46"), ("fi", "Finland", "358"), ("ee", "Estonia", "372"),
    ("lv", "Latvia", "371"), ("lt", "Lithuania", "370"), ("cz", "Czechia", "420"), ("ro", "Romania", "40"),
    ("bg", "Bulgaria", "359"), ("gr", "Greece", "30"), ("tr", "Turkey", "90"), ("ge", "Georgia", "995"),
    ("il", "Israel", "972"), ("ae", "United Arab Emirates", "971"), ("eg", "Egypt", "20"),
    ("ma", "Morocco", "212"), ("ng", "Nigeria", "234"), ("ke", "Kenya", "254"), ("za", "South Africa", "27"),
    ("in", "India", "91"), ("id", "Indonesia", "62"), ("ph", "Philippines", "63"), ("vn", "Vietnam", "84"),
    ("th", "Thailand", "66"), ("my", "Malaysia", "60"), ("hk", "Hong Kong", "852"), ("ca", "Canada", "1"),
    ("br", "Brazil", "55"), ("mx", "Mexico", "52"),
)  # fmt: skip

# A mobile number of each as it is dialled at home; # is any digit.
NATIONAL_NUMBERS: dict[str, str] = {
    "us": "3052######", "gb": "7400######", "de": "1512#######", "fr": "612######", "ru": "912#######",
    "ua": "50#######", "kz": "7710######", "pl": "512######", "nl": "612######", "es": "612######",
    "it": "312#######", "pt": "912######", "se": "701######", "fi": "412######", "ee": "512#####", "lv": "212#####",
    "lt": "612#####", "cz": "601######", "ro": "712######", "bg": "878######", "gr": "691#######",
    "tr": "501#######", "ge": "555######", "il": "502######", "ae": "501######", "eg": "100#######",
    "ma": "650######", "ng": "802#######", "ke": "712######", "za": "711######", "id": "812######",
    "ph": "905#######", "vn": "912######", "th": "812######", "my": "123######", "hk": "512#####",
    "ca": "5062######", "br": "1196#######", "mx": "222#######", "in": "812#######",
}  # fmt: skip

PROJECTS: tuple[str, ...] = (
    "OpenAI / ChatGPT", "Telegram", "WhatsApp", "Google / YouTube / Gmail", "Facebook", "Instagram / Threads",
    "TikTok / Douyin", "X (Twitter)", "Discord", "Microsoft / Outlook", "Amazon", "Apple", "Netflix", "Uber",
    "Airbnb", "Booking", "PayPal", "Steam", "Tinder", "Bumble", "Badoo", "Viber", "WeChat", "LINE", "Signal",
    "Snapchat", "LinkedIn", "Yahoo", "Proton Mail", "VK", "Mail.ru", "Yandex", "Avito", "OZON", "Wildberries",
    "Binance", "Coinbase", "Bybit", "OKX", "Kraken", "Revolut", "Wise", "Claude", "DeepSeek", "eBay",
    "AliExpress", "Temu", "Shein", "Shopee", "Lazada", "Grab", "Bolt", "Glovo", "Deliveroo", "Twitch",
    "Spotify", "Nike", "Craigslist", "Blizzard", "Any other",
)  # fmt: skip
