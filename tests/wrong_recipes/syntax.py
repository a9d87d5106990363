"""What is no YAML, or YAML that no recipe holds."""

from __future__ import annotations

from wrong_recipes.case import RENDER, SHEET, Case

BOMB = "\n".join(
    [f"{SHEET}layers: conv2_1", "title: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    + [f"{'§' * (one == 4)}b{one}: &a{one} [{', '.join([f'*a{one - 1}'] * 9)}]" for one in range(1, 10)]
)

SYNTAX = {
    "empty": Case("", "is empty.*recipe:.*lucidtorch recipes"),
    "only a comment": Case("# nothing\n", "is empty"),
    "a list": Case("§- recipe: render\n", "is a mapping"),
    "a text": Case("§render\n", "is a mapping"),
    "two documents": Case(f"{RENDER}§---\nrecipe: render\n", "second document"),
    "tab as indentation": Case(f"{RENDER}§\ttitle: x\n", "A tab stands here; indent with blanks"),
    "tab behind a colon": Case(f"{RENDER}title:§\tx\n", "A tab stands here"),
    "list that is not closed": Case(f"{SHEET}layers: §[conv1_1, conv2_1\nunits: 1\n", r"list is not closed.*\[1, 2\]"),
    "mapping that is not closed": Case("model: §{spec: demo\nrecipe: render\n", "mapping is not closed"),
    "quotes that are not closed": Case(f"{RENDER}title: §'a picture\n", "quotes are not closed"),
    "text behind quotes": Case(f"{RENDER}title: 'a' §b\n", "does not go on with what stands before"),
    "colon in a text": Case(f"{RENDER}title: a§: b\n", "text with a colon in quotes"),
    "indentation": Case(f"{RENDER}  lr§: 1\n", "same indentation"),
    "no colon": Case(f"{RENDER}§title\n", "no `key: value`"),
    "sign at the start of a text": Case(f"{RENDER}title: §@home\n", "put the value in quotes"),
    "unknown anchor": Case(f"{RENDER}title: §*a\n", "names an anchor that is not above"),
    "anchor that holds itself": Case("recipe: render\nmodel: §&a {spec: *a}\n", "holds itself"),
    "anchors that grow": Case(BOMB, "repeat more than 10,000 values here"),
    "nesting": Case(f"title: {'[' * 31}§{'[' * 9000}\n", "more than 32 deep"),
    "tag of Python": Case(f"{RENDER}title: §!!python/object/apply:os.mkdir [proof]\n", "no tags.*python/object"),
    "tag of one's own": Case(f"{RENDER}title: §!env HOME\n", "no tags.*'!env'"),
    "tag of a type": Case(f"{RENDER}title: §!!str 5\n", "no tags.*quotes"),
    "merge key": Case("a: &a {steps: 3}\n§<<: *a\n", "write `extends:`"),
    "key twice": Case(f"{RENDER}§steps: 3\n", r"'steps'.*second time.*r\.yaml:6:1.*Leave one out"),
    "key twice inside": Case("recipe: render\nmodel: {spec: demo, §spec: vgg16}\n", "'spec'.*second time"),
    "number as key": Case(f"{RENDER}§3: x\n", "A key is a text.*'3'.*quotes"),
    "truth value as key": Case(f"{RENDER}§true: x\n", "A key is a text.*'true'"),
    "list as key": Case(f"{RENDER}§[a]: x\n", "A key is a text"),
    "no number": Case(f"{RENDER}lr: §.nan\n", r"\.nan is no number"),
    "endless number": Case(f"{RENDER}lr: §.inf\n", r"\.inf is no number"),
    "number beyond all": Case(f"{RENDER}lr: §1e999\n", "1e999 is no number"),
    "number of many digits": Case(f"{RENDER}seed: §{'9' * 5000}\n", "5000 digits is too long"),
    "letter that is none": Case(f"{RENDER}title: a§\x07\n", r"no text, but the letter '\\x07'"),
    "unknown escape": Case(f'{RENDER}title: "a\\§q"\n', "backslash.*single quotes"),
}
