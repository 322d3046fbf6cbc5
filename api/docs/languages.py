"""A call of the API as a program in five languages, and how a receiver of webhooks proves a message in each."""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PLACEHOLDER_KEY = "YOUR_API_KEY"
PLAIN = re.compile(r"[\w.,:/@ -]*", re.ASCII)  # means the same in a form and between double quotes of a shell


@dataclass(frozen=True)
class Language:
    """One language: `call` writes a program for an address and its parameters, `proof` is the receiver's part."""

    code: str
    name: str
    call: Callable[[str, Mapping[str, str]], str]
    proof: str


def _curl(address: str, params: Mapping[str, str]) -> str:
    parts = [f"curl -X POST {shlex.quote(address)}"]
    for name, value in params.items():
        if PLAIN.fullmatch(value) and "  " not in value:
            parts.append(f'-d "{name}={value}"')
        else:
            parts.append(f"--data-urlencode {shlex.quote(f'{name}={value}')}")
    return " \\\n  ".join(parts)


def _python(address: str, params: Mapping[str, str]) -> str:
    fields = "".join(f"    {_quoted(name)}: {_quoted(value)},\n" for name, value in params.items())
    return (
        "import requests\n\n"
        f"answer = requests.post({_quoted(address)}, data={{\n{fields}}}, timeout=30).json()\n"
        'if "error" in answer:\n'
        '    raise SystemExit(answer["error"])\n'
        "print(answer)"
    )


def _php(address: str, params: Mapping[str, str]) -> str:
    fields = "".join(f"        {_php_quoted(name)} => {_php_quoted(value)},\n" for name, value in params.items())
    return (
        "<?php\n"
        f"$request = curl_init({_php_quoted(address)});\n"
        "curl_setopt_array($request, [\n"
        f"    CURLOPT_POSTFIELDS => http_build_query([\n{fields}    ]),\n"
        "    CURLOPT_RETURNTRANSFER => true,\n"
        "    CURLOPT_TIMEOUT => 30,\n"
        "]);\n"
        "$answer = json_decode(curl_exec($request), true);\n"
        "if (isset($answer['error'])) {\n"
        "    exit($answer['error']);\n"
        "}\n"
        "print_r($answer);"
    )


def _javascript(address: str, params: Mapping[str, str]) -> str:
    fields = "".join(f"    {name}: {_quoted(value)},\n" for name, value in params.items())
    return (
        f"const response = await fetch({_quoted(address)}, {{\n"
        '  method: "POST",\n'
        f"  body: new URLSearchParams({{\n{fields}  }}),\n"
        "});\n"
        "const answer = await response.json();\n"
        "if (answer.error) throw new Error(answer.error);\n"
        "console.log(JSON.stringify(answer));"
    )


def _go(address: str, params: Mapping[str, str]) -> str:
    width = max(len(name) for name in params) + len('"":')
    fields = "".join(f"\t\t{f'{_quoted(name)}:':<{width}} {{{_quoted(value)}}},\n" for name, value in params.items())
    return (
        "package main\n\n"
        'import (\n\t"fmt"\n\t"io"\n\t"log"\n\t"net/http"\n\t"net/url"\n)\n\n'
        "func main() {\n"
        f"\tresponse, err := http.PostForm({_quoted(address)}, url.Values{{\n{fields}\t}})\n"
        "\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n"
        "\tdefer response.Body.Close()\n"
        "\tanswer, err := io.ReadAll(response.Body)\n"
        "\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n"
        "\tfmt.Println(string(answer)) // JSON: look for error first\n"
        "}"
    )


def _quoted(text: str) -> str:
    """A string between double quotes, which Python, JavaScript and Go read alike."""
    return json.dumps(text, ensure_ascii=False)


def _php_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHELL_PROOF = """\
# t and v1 stand in the header, body.json is the body as it came, secret is the webhook's.
expected=$({ printf '%s.' "$t"; cat body.json; } | openssl dgst -sha256 -hmac "$secret" | sed 's/^.* //')
[ "$expected" = "$v1" ] && echo "It is ours.\""""

PYTHON_PROOF = '''\
import hashlib
import hmac
import time


def is_ours(header: str, body: bytes, secret: str) -> bool:
    """Whether a message is the shop's, and not older than five minutes."""
    parts = [part.split("=", 1) for part in header.split(",") if "=" in part]
    moment = next((value for name, value in parts if name == "t"), "")
    if not moment.isdecimal() or abs(time.time() - int(moment)) > 300:
        return False
    expected = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return any(name == "v1" and hmac.compare_digest(value.encode(), expected.encode()) for name, value in parts)'''

PHP_PROOF = """\
<?php
function is_ours(string $header, string $body, string $secret): bool
{
    $moment = '';
    $marks = [];
    foreach (explode(',', $header) as $part) {
        [$name, $value] = array_pad(explode('=', $part, 2), 2, '');
        if ($name === 't') {
            $moment = $value;
        } elseif ($name === 'v1') {
            $marks[] = $value;
        }
    }
    if (!ctype_digit($moment) || abs(time() - (int) $moment) > 300) {
        return false;
    }
    $expected = hash_hmac('sha256', $moment . '.' . $body, $secret);
    foreach ($marks as $mark) {
        if (hash_equals($expected, $mark)) {
            return true;
        }
    }
    return false;
}

$header = $_SERVER['HTTP_X_WEBHOOK_SIGNATURE'] ?? '';
$ours = is_ours($header, file_get_contents('php://input'), getenv('WEBHOOK_SECRET'));"""

JAVASCRIPT_PROOF = """\
import { createHmac, timingSafeEqual } from "node:crypto";

// body is a Buffer: the bytes as they came, before anything parses them.
export function isOurs(header, body, secret) {
  const parts = header.split(",").map((part) => part.split("="));
  const moment = parts.find(([name]) => name === "t")?.[1] ?? "";
  if (!/^\\d+$/.test(moment) || Math.abs(Date.now() / 1000 - Number(moment)) > 300) return false;
  const expected = createHmac("sha256", secret).update(`${moment}.`).update(body).digest();
  return parts.some(([name, value]) => {
    const mark = Buffer.from(value ?? "", "hex");
    return name === "v1" && mark.length === expected.length && timingSafeEqual(mark, expected);
  });
}"""

GO_PROOF = """\
package webhooks

import (
\t"crypto/hmac"
\t"crypto/sha256"
\t"encoding/hex"
\t"strconv"
\t"strings"
\t"time"
)

// IsOurs says whether a message is the shop's, and not older than five minutes.
func IsOurs(header string, body []byte, secret string) bool {
\tvar moment string
\tvar marks []string
\tfor _, part := range strings.Split(header, ",") {
\t\tname, value, _ := strings.Cut(part, "=")
\t\tswitch name {
\t\tcase "t":
\t\t\tmoment = value
\t\tcase "v1":
\t\t\tmarks = append(marks, value)
\t\t}
\t}
\tseconds, err := strconv.ParseInt(moment, 10, 64)
\tif err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
\t\treturn false
\t}
\tmac := hmac.New(sha256.New, []byte(secret))
\tmac.Write([]byte(moment + "."))
\tmac.Write(body)
\texpected := []byte(hex.EncodeToString(mac.Sum(nil)))
\tfor _, mark := range marks {
\t\tif hmac.Equal(expected, []byte(mark)) {
\t\t\treturn true
\t\t}
\t}
\treturn false
}"""

LANGUAGES = (
    Language("curl", "curl", _curl, SHELL_PROOF),
    Language("python", "Python", _python, PYTHON_PROOF),
    Language("php", "PHP", _php, PHP_PROOF),
    Language("javascript", "JavaScript", _javascript, JAVASCRIPT_PROOF),
    Language("go", "Go", _go, GO_PROOF),
)


def as_curl(address: str, params: Mapping[str, str]) -> str:
    """Return the call as a command for a shell."""
    return _curl(address, params)
