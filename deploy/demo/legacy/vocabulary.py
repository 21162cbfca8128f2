"""Words that names and addresses are made of. Common ones, of no particular person or place."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MEN = _words("""
    Abdulla Abror Akbar Akmal Alisher Anvar Asad Asqar Aziz Bahodir Baxtiyor Bekzod Bobur Botir Davron Dilshod
    Diyor Doniyor Elbek Eldor Farhod Farrux Fazliddin G‘ayrat Hamid Hasan Husan Ibrohim Ilhom Islom Ismoil
    Jahongir Jamshid Jasur Javohir Kamol Komil Lutfulla Mansur Mirzo Muhammad Murod Muzaffar Nodir Nurbek Odil
    Olim Orif Otabek Oybek O‘ktam Qahramon Qobil Ravshan Rustam Sanjar Sardor Shavkat Sherzod Shuhrat Sobir
    Sohib Temur Tohir Ulug‘bek Umid Vali Xurshid Yodgor Yusuf Zafar Zohid
""")

WOMEN = _words("""
    Adolat Aziza Barno Charos Dildora Dilfuza Dilnoza Durdona Farida Feruza Gavhar Go‘zal Gulbahor Gulchehra
    Gulnora Guzal Hilola Husnora Iroda Kamola Komila Laylo Lobar Lola Madina Mahliyo Malika Manzura Mavluda
    Mohira Muattar Munira Muqaddas Nafisa Nargiza Nasiba Nigora Nilufar Nodira Nozima Ozoda Oygul O‘g‘iloy Parvina
    Qunduz Ra’no Robiya Ruxsora Sabohat Saida Saodat Sevara Shahlo Shahnoza Shoira Sitora Surayyo Umida Xadicha
    Xurshida Yulduz Zamira Zebo Zilola Zulfiya Zumrad
""")

FAMILIES = _words("""
    Abdullayev Abdurahmonov Ahmedov Aliyev Aminov Asqarov Azimov Azizov Boboyev Boymurodov Davlatov Ergashev
    Eshonqulov Fayziyev G‘aniyev G‘ulomov Hakimov Hamidov Hasanov Ibragimov Ismoilov Jalilov Jo‘rayev Kamolov
    Karimov Komilov Mahmudov Mamatov Mirzayev Mo‘minov Murodov Nabiyev Nazarov Normatov Nosirov Nurmatov Olimov
    Oripov Ortiqov Otaboyev O‘rinov Pardayev Qodirov Qosimov Qurbonov Rahimov Rahmonov Rajabov Rasulov Ro‘ziyev
    Sa’dullayev Saidov Salimov Sattorov Sharipov Sobirov Sodiqov Sultonov Tojiyev To‘rayev To‘xtayev Turdiyev
    Umarov Usmonov Valiyev Xoliqov Xudoyberdiyev Yo‘ldoshev Yunusov Yusupov Zokirov
""")

MAHALLAS = _words("""
    Bahor Baxt Birlik Bo‘ston Chinor Do‘stlik Gulbog‘ Guliston Gulzor Hamkor Ittifoq Istiqbol Kamolot Lolazor
    Mehnat Mustaqillik Nafosat Navbahor Navro‘z Nihol Nurafshon Obod Oltinko‘l Oqtepa O‘zbekiston Paxtakor Sharq
    Tinchlik Yangiobod Yangihayot Yoshlik Zarafshon
""")

STREETS = _words("""
    Anhor Bog‘bon Bog‘ishamol Bunyodkor Buyuk-Ipak-Yo‘li Chilonzor Do‘stlik Furqat Gulchambar Hamid-Olimjon Istiqlol
    Jasorat Katta-Bog‘ Kichik-Bog‘ Lutfiy Ma’rifat Mash’al Mirobod Mustaqillik Navoiy Nurli-Yo‘l Oqsaroy O‘rikzor
    Paxtakor Qadriyat Sarbon Shifokor Tarona Temiryo‘l Turon Uzumzor Yangi-Hayot Zarqaynar Zilol
""")

_PLAIN = dict(zip("АБВГДЕЗИЙКЛМНОПРСТУФХЦЫЭ", "ABVGDEZIYKLMNOPRSTUFXSIE", strict=True))
_PAIRS = {"Ё": "Yo", "Ж": "J", "Ч": "Ch", "Ш": "Sh", "Щ": "Sh", "Ъ": "’", "Ь": "", "Ю": "Yu", "Я": "Ya"}
_CAPITALS = _PLAIN | _PAIRS
LATIN_OF_RUSSIAN = str.maketrans(_CAPITALS | {letter.lower(): text.lower() for letter, text in _CAPITALS.items()})

COMPANY_FORMS = ("ООО", "ООО", "ООО", "ООО", "ЧП", "ЧП", "СП ООО", "АО", "Семейное предприятие")

COMPANY_PLACES = _words("""
    Азия Бахор Бустон Восток Гулистан Зарафшан Имкон Истиклол Караван Келажак Лола Марказ Навбахор Навруз
    Нихол Нур Орзу Оазис Пахтакор Парвоз Рохат Садаф Сарбон Согдиана Тараккиёт Туран Умид Файз Хамкор Чинор
    Шарк Юлдуз Янги-Хаёт
""")

COMPANY_TRADES = _words("""
    Агро Барака Гранит Дизайн Инвест Капитал Комплект Курилиш Логистик Мебель Металл Монтаж Ойна Пласт Полиграф
    Проект Савдо Сервис Строй Текстиль Транс Трейд Фарм Хлопок Цемент Электро Энерго
""")
