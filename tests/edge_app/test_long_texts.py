from osteo_edge.edge_app.long_texts import CUT, MAX_PIECE, MAX_SHOWN, pieces, shortened


def test_a_long_text_is_cut_with_a_sign() -> None:
    assert shortened("short\n text") == "short text"
    cut = shortened("word " * 40_000)
    assert len(cut) <= MAX_SHOWN
    assert cut.endswith(f"word{CUT}")


def test_the_pieces_hold_the_whole_text() -> None:
    text = "some-words of it " * 200 + "x" * 2000
    found = pieces(text)
    assert max(len(piece) for piece in found) <= MAX_PIECE
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert pieces("") == ()
