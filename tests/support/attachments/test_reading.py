"""What of a file is kept, and which are refused, whatever they are called."""

import io
import zipfile

import pytest
from PIL import Image as Pillow

from support.attachments.reading import LONGEST_FILE, MOST_FILES, ReadFile, read_files
from support.attachments.refusals import FileRefused
from tests.support.files import PDF, SCRIPT, bomb, picture, turned_photograph, upload

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'


def read(name: str, data: bytes) -> ReadFile:
    return read_files([upload(name, data)])[0]


@pytest.mark.parametrize(("format_", "extension"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_a_picture_is_drawn_anew_in_its_own_format(format_: str, extension: str) -> None:
    kept = read("screen.png", picture(format_))

    assert (kept.name, kept.kind) == (f"screen.{extension}", format_.lower())
    with Pillow.open(io.BytesIO(kept.data)) as image:
        assert (image.format, image.size) == (format_, (40, 30))
        assert image.convert("RGB").getpixel((2, 2))[0] > 200


def test_a_photograph_is_turned_upright_and_loses_what_was_written_beside_it() -> None:
    kept = read("photo.jpg", turned_photograph())

    with Pillow.open(io.BytesIO(kept.data)) as image:
        assert image.size == (30, 40)
        assert not image.getexif()
    assert b"secret place" not in kept.data


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_what_hides_behind_the_pixels_is_gone(format_: str) -> None:
    kept = read("picture.png", picture(format_) + SCRIPT)

    assert b"script" not in kept.data


def test_what_hides_in_a_text_of_a_picture_is_gone() -> None:
    from PIL.PngImagePlugin import PngInfo

    words = PngInfo()
    words.add_text("Comment", SCRIPT.decode())
    jpeg = picture("JPEG", comment=b"*/=alert(1);/*")

    assert b"alert" not in read("a.png", picture(pnginfo=words)).data
    assert b"alert" not in read("a.jpg", jpeg).data


def test_of_something_animated_the_first_picture_is_kept() -> None:
    frames = [Pillow.new("RGB", (20, 20), color) for color in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])

    kept = read("moves.png", out.getvalue())

    with Pillow.open(io.BytesIO(kept.data)) as image:
        assert getattr(image, "n_frames", 1) == 1
        assert image.convert("RGB").getpixel((2, 2)) == (255, 0, 0)


def test_a_photograph_whose_exif_is_broken_is_refused_in_words() -> None:
    # What makes Pillow write it anew, and cannot be written: a text where a number belongs.
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "1/1"
    data = picture("JPEG", exif=exif)
    at = data.index(bytes.fromhex("010f0002")) if bytes.fromhex("010f0002") in data else data.index(b"\x0f\x01\x02\x00")
    broken = data[:at] + data[at : at + 4].replace(b"\x01\x0f", b"\x01\x1a").replace(b"\x0f\x01", b"\x1a\x01")
    broken += data[at + 4 :]

    with pytest.raises(FileRefused, match="damaged"):
        read("photo.jpg", broken)


def test_what_is_seen_through_stays_so() -> None:
    out = io.BytesIO()
    Pillow.new("RGBA", (20, 20), (255, 0, 0, 0)).save(out, "PNG")

    with Pillow.open(io.BytesIO(read("clear.png", out.getvalue()).data)) as image:
        assert image.convert("RGBA").getpixel((2, 2))[3] == 0


def test_plain_text_and_pdf_are_kept_as_they_are() -> None:
    text = "Заказ 12\r\n\tdone <b>bold</b>\n"

    assert (read("log.txt", text.encode()).data.decode(), read("log.txt", text.encode()).kind) == (text, "text")
    assert read("app.log", b"\xef\xbb\xbfstarted").data == b"started"
    assert (read("bill.pdf", PDF).data, read("bill.exe", PDF).name) == (PDF, "bill.pdf")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.png", b"", "empty"),
        ("blank.txt", b" \n", "empty"),
        ("logo.svg", SVG, "We take"),
        ("logo.png", SVG, "We take"),
        ("logo.txt", b"\n " + SVG, "web page or a drawing"),
        ("page.html", SCRIPT, "We take"),
        ("page.txt", SCRIPT, "web page or a drawing"),
        ("page.txt", b"<?xml version='1.0'?><x/>", "web page or a drawing"),
        ("moves.gif", b"GIF89a" + b"\0" * 20, "We take"),
        ("run.exe", b"MZ\x90\0", "We take"),
        ("data.json", b"{}", "We take"),
        ("none", b"hello", "We take"),
        ("log.txt", b"one\0two", "control characters"),
        ("log.txt", b"\x1b[31mred", "control characters"),
        ("log.txt", "caf\u00e9".encode("latin-1"), "UTF-8"),
        ("log.txt", "hello".encode("utf-16"), "UTF-8"),
        ("cut.png", picture()[:60], "damaged"),
        ("cut.jpg", picture("JPEG", (400, 400))[:300], "damaged"),
        ("head.png", b"\x89PNG\r\n\x1a\n" + SCRIPT, "damaged"),
        ("bomb.png", bomb(), "16 million"),
        ("large.png", bomb(5_000), "16 million"),
        ("page.pdf", b"%PDF-1.4\n" + SCRIPT, "damaged"),
        ("page.pdf", b"%PDF-1.4\n" + SCRIPT + PDF[9:], "scripts or other files"),
        ("page.pdf", PDF + SCRIPT, "damaged"),
        ("page.pdf", SCRIPT + PDF, "We take"),
        ("acts.pdf", PDF.replace(b"/Catalog", b"/Catalog /OpenAction << /S /JavaScript >>"), "scripts or other files"),
        (
            "acts.pdf",
            PDF.replace(b"/Catalog", b"/Catalog /OpenAction << /S /J#61vaScript >>"),
            "scripts or other files",
        ),
        ("cut.pdf", PDF[:40], "damaged"),
    ],
)
def test_what_is_refused(name: str, data: bytes, says: str) -> None:
    with pytest.raises(FileRefused, match=says) as refusal:
        read(name, data)

    assert str(refusal.value).startswith(f"{name}: ")


def test_a_pdf_that_is_an_archive_as_well_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("run.html", SCRIPT)
    archived = out.getvalue()

    with pytest.raises(FileRefused):
        read("bill.pdf", PDF.replace(b"xref\n0", archived + b"\nxref\n0"))


def test_size_and_number_have_limits() -> None:
    with pytest.raises(FileRefused, match="4 MB"):
        read("long.txt", b"x" * (LONGEST_FILE + 1))
    assert len(read("long.txt", b"x" * LONGEST_FILE).data) == LONGEST_FILE
    with pytest.raises(FileRefused, match="at most 5"):
        read_files([upload("a.txt", b"x")] * (MOST_FILES + 1))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\Windows\\system32\\a.png", "a.png"),
        ("a\r\nSet-Cookie: x=1.png", "a Set-Cookie x=1.png"),
        ("\u202egnp.exe", "gnp.png"),
        ("screen\u200b shot.PNG", "screen shot.png"),
        ('a"; filename="b.html', "a filename= b.png"),
        ("...", "file.png"),
        (".png", "file.png"),
        ("снимок экрана.png", "снимок экрана.png"),
        ("x" * 300 + ".png", "x" * 99 + "….png"),
    ],
)
def test_names_are_cleaned_and_end_as_the_content_says(name: str, kept: str) -> None:
    file = upload("x", picture())
    file._name = name  # past what Django itself cleans: other doors may not

    assert read_files([file])[0].name == kept
