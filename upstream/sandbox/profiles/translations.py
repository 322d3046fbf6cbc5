"""The sample names in other languages: all of them in Russian, some in a few others; what is missing stays English."""

# What `lang` may be. Anything else is answered in English, as are names that have no translation.
LANGUAGES = ("zh", "es", "fr", "de", "ja", "ko", "pt", "pt-BR", "ru", "ar", "hi", "vi", "ur", "bn-BD")

# Brands that are written the same in Russian are left out.
RUSSIAN = {
    # Networks and other categories
    "VK": "ВКонтакте", "WhatsApp Channels": "Каналы WhatsApp", "Odnoklassniki": "Одноклассники", "Dzen": "Дзен",
    "Google Maps": "Google Карты", "Website Traffic": "Трафик на сайт", "Email Accounts": "Почтовые аккаунты",
    "Instagram Accounts": "Аккаунты Instagram", "Streaming": "Стриминговые сервисы",
    "Facebook Accounts": "Аккаунты Facebook", "Telegram Accounts": "Аккаунты Telegram", "X Accounts": "Аккаунты X",
    "TikTok Accounts": "Аккаунты TikTok", "Discord Accounts": "Аккаунты Discord", "Reddit Accounts": "Аккаунты Reddit",
    "LinkedIn Accounts": "Аккаунты LinkedIn", "YouTube Accounts": "Аккаунты YouTube",
    "Music Subscriptions": "Музыкальные подписки", "AI Tools": "Нейросети", "Design Tools": "Программы для дизайна",
    "Software Keys": "Ключи для программ", "Proxies": "Прокси", "Game Keys": "Ключи для игр",
    # What is done
    "Followers": "Подписчики", "Likes": "Лайки", "Views": "Просмотры", "Comments": "Комментарии",
    "Shares": "Репосты", "Saves": "Сохранения", "Subscribers": "Подписчики", "Members": "Участники",
    "Reactions": "Реакции", "Plays": "Прослушивания", "Live Viewers": "Зрители трансляции", "Reviews": "Отзывы",
    "Visitors": "Посетители", "Poll Votes": "Голоса в опросе", "Reposts": "Репосты",
    # What is sold
    "Aged": "С историей", "Fresh": "Новые", "With Followers": "С подписчиками", "Business Manager": "Бизнес-менеджер",
    "Sessions": "Сессии", "Tokens": "Токены", "With Karma": "С кармой", "With Connections": "С контактами",
    "Monetized": "С монетизацией", "Antivirus": "Антивирусы", "Residential": "Резидентские", "Mobile": "Мобильные",
    "Datacenter": "Серверные",
    # How it is done
    "Real": "Живые", "High Quality": "Высокое качество", "Premium": "Премиум", "Mixed": "Разные",
    "Old Accounts": "Старые аккаунты", "Active": "Активные", "Economy": "Эконом", "100% Organic": "100 % органика",
    "500/Day": "500 в день", "1K/Day": "1 тыс. в день", "5K/Day": "5 тыс. в день", "10K/Day": "10 тыс. в день",
    "50K/Day": "50 тыс. в день", "Instant": "Мгновенно", "Slow Drip": "Постепенно", "Start 0-1 Hour": "Старт до 1 часа",
    "15 Days Refill": "Докрутка 15 дней", "30 Days Refill": "Докрутка 30 дней", "60 Days Refill": "Докрутка 60 дней",
    "90 Days Refill": "Докрутка 90 дней", "365 Days Refill": "Докрутка 365 дней",
    "30 Days Warm-up": "Прогрев 30 дней", "1 Month": "1 месяц", "3 Months": "3 месяца", "6 Months": "6 месяцев",
    "12 Months": "12 месяцев", "Lifetime": "Навсегда", "Phone Verified": "С подтверждённым телефоном",
    "2FA": "Двухфакторная защита", "With Recovery Mail": "С резервной почтой", "Cookies Included": "С cookies",
    "Full Access": "Полный доступ", "Replacement 24h": "Замена 24 часа", "Full Warranty": "Полная гарантия",
    "Private": "Личный", "Shared": "Общий", "Renewable": "С продлением", "New Key": "Новый ключ",
    "Instant Delivery": "Мгновенная выдача", "Delivered by e-mail": "Доставка по почте",
    "Replacement within 24 hours": "Замена в течение 24 часов",
    # Where
    "Worldwide": "Весь мир", "USA": "США", "Arab": "Арабские страны", "Europe": "Европа",
    "United States": "Соединённые Штаты", "United Kingdom": "Великобритания", "Germany": "Германия",
    "France": "Франция", "Russia": "Россия", "Ukraine": "Украина", "Kazakhstan": "Казахстан", "Poland": "Польша",
    "Netherlands": "Нидерланды", "Spain": "Испания", "Italy": "Италия", "Portugal": "Португалия", "Sweden": "Швеция",
    "Finland": "Финляндия", "Estonia": "Эстония", "Latvia": "Латвия", "Lithuania": "Литва", "Czechia": "Чехия",
    "Romania": "Румыния", "Bulgaria": "Болгария", "Greece": "Греция", "Turkey": "Турция", "Georgia": "Грузия",
    "Israel": "Израиль", "United Arab Emirates": "Объединённые Арабские Эмираты", "Egypt": "Египет",
    "Morocco": "Марокко", "Nigeria": "Нигерия", "Kenya": "Кения", "South Africa": "ЮАР", "India": "Индия",
    "Indonesia": "Индонезия", "Philippines": "Филиппины", "Vietnam": "Вьетнам", "Thailand": "Таиланд",
    "Malaysia": "Малайзия", "Hong Kong": "Гонконг", "Canada": "Канада", "Brazil": "Бразилия", "Mexico": "Мексика",
    # Websites and apps
    "Yandex": "Яндекс", "Avito": "Авито", "Any other": "Любой другой",
}  # fmt: skip

TRANSLATIONS: dict[str, dict[str, str]] = {
    "ru": RUSSIAN,
    "es": {
        "Followers": "Seguidores", "Likes": "Me gusta", "Views": "Visualizaciones", "Comments": "Comentarios",
        "Subscribers": "Suscriptores", "Members": "Miembros", "Worldwide": "Todo el mundo", "Instant": "Inmediato",
        "Email Accounts": "Cuentas de correo", "Game Keys": "Claves de juegos", "Website Traffic": "Tráfico web",
        "Spain": "España", "Germany": "Alemania", "France": "Francia", "United States": "Estados Unidos",
        "United Kingdom": "Reino Unido", "Russia": "Rusia", "Brazil": "Brasil", "Mexico": "México",
        "Any other": "Cualquier otro",
    },
    "de": {
        "Followers": "Follower", "Likes": "Likes", "Views": "Aufrufe", "Comments": "Kommentare",
        "Subscribers": "Abonnenten", "Members": "Mitglieder", "Worldwide": "Weltweit", "Instant": "Sofort",
        "Email Accounts": "E-Mail-Konten", "Game Keys": "Spieleschlüssel", "Germany": "Deutschland",
        "France": "Frankreich", "Spain": "Spanien", "United States": "Vereinigte Staaten",
        "United Kingdom": "Vereinigtes Königreich", "Russia": "Russland", "Any other": "Alle anderen",
    },
    "fr": {
        "Followers": "Abonnés", "Likes": "J’aime", "Views": "Vues", "Comments": "Commentaires",
        "Worldwide": "Monde entier", "Email Accounts": "Comptes e-mail", "Germany": "Allemagne", "Spain": "Espagne",
        "United States": "États-Unis", "United Kingdom": "Royaume-Uni", "Russia": "Russie",
    },
    "pt-BR": {"Followers": "Seguidores", "Likes": "Curtidas", "Comments": "Comentários", "Brazil": "Brasil"},
    "zh": {"Followers": "粉丝", "Likes": "点赞", "Comments": "评论", "United States": "美国", "Russia": "俄罗斯"},
    "ar": {"Followers": "متابعون", "Egypt": "مصر", "United States": "الولايات المتحدة"},
    "hi": {"Followers": "फ़ॉलोअर्स", "India": "भारत"},
}  # fmt: skip


def translated(text: str, language: str) -> str:
    """Return a sample name in that language, or as it is where there is no translation."""
    return TRANSLATIONS.get(language, {}).get(text, text)
