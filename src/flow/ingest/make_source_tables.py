#!/usr/bin/env python3
"""Writes source_tables.cc from Matomo's searchengine-and-social-list (CC0 1.0).

usage: make_source_tables.py DIRECTORY > source_tables.cc
DIRECTORY holds matomo_SearchEngines.yml, matomo_Socials.yml, matomo_AIAssistants.yml.
"""
import sys

import yaml


def load(name):
    with open(f"{sys.argv[1]}/matomo_{name}.yml", encoding="utf-8") as file:
        return yaml.safe_load(file)


def host(text):
    text = text.lower()
    return text[4:] if text.startswith("www.") else text


rows = {}
for name, groups in load("SearchEngines").items():
    for group in groups:
        params = [p for p in group.get("params") or [] if p and not p.startswith("/")]
        for url in group["urls"]:
            rows.setdefault(host(url), ("Search", str(name).lower(), params[0] if params else ""))
for name, hosts in load("Socials").items():
    for url in hosts:
        rows[host(url)] = ("Social", str(name).lower().replace("%2b", "+"), "")
for name, hosts in load("AIAssistants").items():
    for url in hosts:
        rows[host(url)] = ("Ai", str(name).lower(), "")
for name, hosts in {
    "gmail": ["mail.google.com", "com.google.android.gm"],
    "outlook": ["outlook.live.com", "outlook.office.com", "outlook.office365.com"],
    "yahoo mail": ["mail.yahoo.com", "mail.yahoo.co.jp"],
    "yandex mail": ["mail.yandex.ru", "mail.yandex.com"],
    "mail.ru": ["e.mail.ru"],
    "proton mail": ["mail.proton.me"],
}.items():
    for url in hosts:
        rows[url] = ("Mail", name, "")


def quoted(text):
    out = ""
    for byte in text.encode():
        c = chr(byte)
        out += c if 32 <= byte < 127 and c not in '"\\' else "\\%03o" % byte
    return f'"{out}"'


print("// Made by make_source_tables.py from Matomo's searchengine-and-social-list (CC0 1.0); mail")
print("// hosts are our own. Sorted by host; {} stands for the label or labels of a country.")
print('#include "flow/ingest/source_tables.h"\n')
print("namespace ingest {\n")
print("// clang-format off")
print("const SiteRow kSiteRows[] = {")
for key in sorted(rows, key=lambda k: k.encode()):
    kind, name, param = rows[key]
    print(f"    {{{quoted(key)}, SiteKind::k{kind}, {quoted(name)}, {quoted(param)}}},")
print("};")
print("// clang-format on")
print("const size_t kSiteRowCount = sizeof(kSiteRows) / sizeof(kSiteRows[0]);\n")
print("}  // namespace ingest")
