from cnnvis.core.progress import part_of


def test_parts_report_how_far_the_whole_is():
    told = []
    for number in range(3):
        share = part_of(lambda done, total: told.append((done, total)), number, 3)
        share(1, 2)
        share(2, 2)
    assert told == [(step, 6) for step in range(1, 7)]
