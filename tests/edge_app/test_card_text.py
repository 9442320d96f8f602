import gc
import re
import time
from pathlib import Path

import pytest

from osteo_edge.edge_app.card_text import MAX_BLOCKS, MAX_BYTES, MAX_LETTERS, Block, blocks_of, read_card
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.long_texts import CUT
from osteo_edge.errors import BundleError


def test_the_card_of_the_demonstration_has_all_its_parts() -> None:
    blocks = read_card(FOLDER)
    assert blocks[0] == Block("title", "knee 1")
    headings = [block.text for block in blocks if block.kind == "heading"]
    assert headings[:3] == ["Intended use", "Model", "Decision"]
    assert headings[-1] == "Limitations"
    assert Block("item", "Labels come from: phantom") in blocks
    rows = [block.text for block in blocks if block.kind == "row"]
    wanted = "sensitivity, test: Value 0.844, 95 % interval 0.750 to 0.924, n 64, Part test, before conversion"
    assert wanted in rows
    assert not any(mark in block.text for block in blocks for mark in ("|", "`", "#", "---"))


def test_no_shown_line_says_normal() -> None:
    shown = read_card(FOLDER)
    assert Block("item", "Labels: DXA T-score -1 or above, osteopenia, osteoporosis") in shown
    assert any(block.text.startswith("Train: 96 DXA T-score -1 or above, 96 osteopenia") for block in shown)
    assert not [block for block in shown if re.search(r"\bnormal\b", block.text, re.IGNORECASE)]
    assert blocks_of("# Normal `normal` osteopenia")[0].text == "{0} {0} osteopenia".format("DXA T-score -1 or above")


def test_of_a_model_that_looks_for_abnormalities_only_knees_are_told_by_their_t_score() -> None:
    (told,) = blocks_of("elbow normal, elbow abnormal, knee normal, knee osteoporosis, normal")
    elbow, knee = "elbow not labelled abnormal, elbow abnormal", "knee DXA T-score -1 or above, knee osteoporosis"
    assert told.text == f"{elbow}, {knee}, not labelled abnormal"


def test_lines_without_a_gap_belong_together_and_an_item_goes_on() -> None:
    assert blocks_of("One\ntwo\n\n- first\n  and more\n2. second\n## Head ##\ntext") == (
        Block("text", "One two"),
        Block("item", "first and more"),
        Block("item", "second"),
        Block("heading", "Head"),
        Block("text", "text"),
    )


def test_emphasis_code_and_links_are_plain() -> None:
    (block,) = blocks_of("**Bold**, *slanted* `code_name` a_b_c 2*3 [site](https://example.org) ![picture](x.png)")
    assert block.text == "Bold, slanted code_name a_b_c 2*3 site (https://example.org) picture (x.png)"


def test_a_table_without_a_head_or_with_uneven_rows_is_shown_as_it_is() -> None:
    assert blocks_of("| a | b |\n| c | d |") == (Block("row", "a: b"), Block("row", "c: d"))
    assert blocks_of("| a | b |\n|---|---|\n| c | d | e |\n| f |\n| |") == (
        Block("row", "c: b d, e"),
        Block("row", "f"),
    )


@pytest.mark.parametrize(
    "card", ["", "\n\n", "|", "||\n|-|", "#", "- ", "\0\x1b[31m", "* " * 9999, "[" * 9999, "a*" * 9999]
)
def test_what_is_no_card_does_no_harm(card: str) -> None:
    for block in blocks_of(card):
        assert block.text.isprintable()
        assert 0 < len(block.text) <= MAX_LETTERS + 1


def test_a_card_without_end_is_cut() -> None:
    blocks = blocks_of("word " * 10_000 + "\n\n" + "- item\n" * 5000)
    assert len(blocks) == MAX_BLOCKS + 1
    assert blocks[0].text.endswith(CUT)
    assert blocks[-1] == Block("text", CUT)


def test_of_a_file_without_end_the_beginning_is_read(tmp_path: Path) -> None:
    (tmp_path / "MODEL_CARD.md").write_bytes(b"# knee\n\n" + b"\xff\n" * MAX_BYTES)
    blocks = read_card(tmp_path)
    assert blocks[0] == Block("title", "knee")
    assert blocks[-1] == Block("text", CUT)
    assert sum(len(block.text) for block in blocks) <= MAX_BYTES


@pytest.mark.parametrize(
    "card", ["[" * 250_000, "|" + "-" * 250_000 + "x", "*a" * 125_000, "# " * 125_000, "|\n" * 99_999]
)
def test_a_card_made_to_take_long_does_not(card: str) -> None:
    gc.disable()  # else what other tests have left is gone through as well
    try:
        start = time.process_time()
        blocks_of(card)
        assert time.process_time() - start < 2
    finally:
        gc.enable()


def test_a_bundle_without_a_card_has_no_blocks_and_an_unreadable_one_says_so(tmp_path: Path) -> None:
    assert read_card(tmp_path) == ()
    (tmp_path / "MODEL_CARD.md").mkdir()
    with pytest.raises(BundleError, match=r"MODEL_CARD\.md: cannot be read"):
        read_card(tmp_path)
