"""What tries to run in a page, in the ways that pages have been fooled."""

from __future__ import annotations

RAN = "document.title='it ran';window.ran=1"
PAYLOADS = [
    f"<script>{RAN}</script>",
    f"<ScRiPt >{RAN}</sCrIpT\n>",
    f'<img src=x onerror="{RAN}">',
    f"<svg/onload={RAN}>",
    f"<svg><script>{RAN}</script></svg>",
    f"<math><mtext></p><img src=x onerror={RAN}>",
    f'<iframe srcdoc="<script>parent.{RAN}</script>"></iframe>',
    f'<a href="javascript:{RAN}">here</a>',
    f"<details open ontoggle={RAN}>",
    f"<body onload={RAN}><style>@import 'javascript:{RAN}'</style>",
    f"</textarea></title><script>{RAN}</script>",
    f"--><script>{RAN}</script><!--",
    f"<noscript><p title='</noscript><img src=x onerror={RAN}>'>",
    f"[here](javascript:{RAN})",
    f"[here](JaVaScRiPt&colon;{RAN})",
    f"[here](\x01javascript:{RAN})",
    f"[here](data:text/html;base64,PHNjcmlwdD4{RAN})",
    f"[here](vbscript:{RAN})",
    f"![here](javascript:{RAN})",
    f'![here](x "onerror={RAN}")',
    f"<javascript:{RAN}>",
    f"[here]: javascript:{RAN}\n\n[here]",
    f"`<img src=x onerror={RAN}>`",
    f"```<script>{RAN}</script>\n<script>{RAN}</script>\n```",
    f'```"><img src=x onerror={RAN}>\ncode\n```',
    f"|<script>{RAN}</script>|b|\n|-|-|\n|<img src=x onerror={RAN}>|c|",
    f"# <script>{RAN}</script>\n> <img src=x onerror={RAN}>",
    f"https://x.y/\"onmouseover={RAN}'><script>{RAN}</script>",
    f'[x](https://x.y/"onclick={RAN} "title")',
    f"&lt;script&gt;{RAN}&lt;/script&gt; &#60;script&#62;{RAN}",
    f"{{{{ 1 }}}} {{% include 'x' %}} ${{{RAN}}}",
    f"<template><script>{RAN}</script></template><object data='javascript:{RAN}'>",
    f'<form action="javascript:{RAN}"><button autofocus onfocus={RAN}>go</button></form>',
    f"<base href='//evil.example/'><meta http-equiv=refresh content='0;url=javascript:{RAN}'>",
    f"\u202e<script>{RAN}</script>\ufeff\x00",
    f'<div hx-get="/people/" hx-trigger="load" data-behaviour="../evil">{RAN}</div>',
]
ALL = "\n\n".join(PAYLOADS)
