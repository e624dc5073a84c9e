"""What every channel does over many images: groups of like ones, odd ones, and a smaller network without the redundant.

    python pipelines/channel_survey.py
    python pipelines/channel_survey.py --model fashion-cnn --signal pre
    python pipelines/channel_survey.py --model my.py:network --data photos/ --workers 4 --out out/mine

The work is done by `cnnvis.studies.channel_survey`; the same as a verb is `cnnvis survey`.
"""

import sys

from cnnvis.cli import run
from cnnvis.cli.survey import survey

if __name__ == "__main__":
    sys.exit(run(survey))
