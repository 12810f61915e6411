"""The form that asks for a token: plain HTML, without a script."""

from html import escape

STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
body { max-width: 34rem; margin: 8vh auto; padding: 0 1rem; line-height: 1.5; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; }
label { display: block; font-weight: 600; margin-top: 1.5rem; }
input { box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; margin: .4rem 0 1rem; }
button { padding: .6rem 1.2rem; font: inherit; font-weight: 600; background: #14532d; color: #fff; border: 0;
  border-radius: .3rem; }
input:focus-visible, button:focus-visible { outline: 3px solid #d97706; outline-offset: 2px; }
pre { white-space: pre-wrap; font-size: .85rem; padding: .6rem; border: 1px solid #8886; border-radius: .3rem; }
.trouble { color: #b42318; font-weight: 600; white-space: pre-wrap; }
@media (prefers-color-scheme: dark) { .trouble { color: #ffa198; } }
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Log in · Swiftlet</title><style>{style}</style></head><body><main>
<h1>Swiftlet</h1>
<p>You see and do here what the cluster lets <em>you</em> see and do. Show the API server who you are by a token:</p>
<pre>kubectl create token ACCOUNT -n NAMESPACE</pre>
<p>gives one of a service account, for an hour; the ID token that your cluster's login gives you does as well. It is
kept in this server's memory alone, until you log out.</p>
{trouble}<form method="post" action="/login"><input type="hidden" name="next" value="{place}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="off" spellcheck="false" required autofocus>
<button>Log in</button></form>
</main></body></html>
"""


def form(trouble: str, place: str) -> str:
    """The page. trouble: what was wrong before, or nothing; place: where to go then."""
    said = f'<p class="trouble" role="alert">{escape(trouble)}</p>' if trouble else ""
    return PAGE.format(style=STYLE, trouble=said, place=escape(place, quote=True))
