#!/usr/bin/env python3
"""Reads the frame number from the bar at the top of Vitrine's test pattern (geometry: tests/board/clip/test_pattern.h).

As a module: read_frame_number(region) with the video's part of a picture. As a program: frame_bar.py PICTURE [--box X,Y,W,H]
prints the number; status 1 and a reason on stderr where none can be read.
"""

import argparse
import sys

import numpy as np

BAR_ROWS = 32
CELLS = 32
NUMBER_BITS = 20


class NoFrameNumber(Exception):
    """The region has no readable bar. The message says which check failed."""


def crc8(bits):
    """CRC-8, polynomial 0x07, initial value 0xff, over bits in their order."""
    crc = 0xFF
    for bit in bits:
        carry = (crc >> 7) ^ bit
        crc = ((crc << 1) & 0xFF) ^ (0x07 if carry else 0)
    return crc


def frame_bar_cells(number):
    """The 32 cells of a frame's bar, each 0 or 1."""
    bits = [(number % (1 << NUMBER_BITS)) >> (NUMBER_BITS - 1 - i) & 1 for i in range(NUMBER_BITS)]
    crc = crc8(bits)
    return [1, 0] + bits + [crc >> (7 - i) & 1 for i in range(8)] + [0, 1]


def cell_levels(region, bar_rows):
    """Median brightness of the middle of each cell, since scaling may blur its edges."""
    grey = np.asarray(region, dtype=np.float64)
    if grey.ndim == 3:
        grey = grey[:, :, :3].mean(axis=2)
    width = grey.shape[1]
    rows = grey[max(int(bar_rows * 0.25), 0) : max(int(bar_rows * 0.75), 1)]
    levels = []
    for cell in range(CELLS):
        left, right = cell * width / CELLS, (cell + 1) * width / CELLS
        rim = (right - left) / 4
        first = int(np.ceil(left + rim))
        levels.append(float(np.median(rows[:, first : max(first + 1, int(right - rim))])))
    return levels


def read_frame_number(region, clip_height=None):
    """The frame number (mod 2^20) of an RGB or grey array whose top-left corner is the video's.

    clip_height: the clip's own height where the region shows it scaled. Raises NoFrameNumber.
    """
    height, width = np.shape(region)[:2]
    bar_rows = BAR_ROWS if clip_height is None else BAR_ROWS * height / clip_height
    if width < 2 * CELLS or height < bar_rows or bar_rows < 4:
        raise NoFrameNumber(f"a region of {width}x{height} is too small for a bar")
    levels = cell_levels(region, bar_rows)
    white, black = levels[0], levels[1]
    if white - black < 64:
        raise NoFrameNumber(f"no sync: the first two cells have levels {white:.0f} and {black:.0f}")
    cells = [1 if level > (white + black) / 2 else 0 for level in levels]
    number = int("".join(map(str, cells[2 : 2 + NUMBER_BITS])), 2)
    if cells[30:] != [0, 1]:
        raise NoFrameNumber(f"no sync: the last two cells are {cells[30:]}")
    if cells != frame_bar_cells(number):
        raise NoFrameNumber(f"the CRC does not fit the number {number}")
    return number


def main():
    parser = argparse.ArgumentParser(description="Prints the number of the test pattern's frame in a picture.")
    parser.add_argument("picture")
    parser.add_argument("--box", help="X,Y,W,H of the video in the picture (default: all of it)")
    parser.add_argument("--clip-height", type=int, help="the clip's own height, where it is shown scaled")
    arguments = parser.parse_args()
    from PIL import Image

    picture = np.asarray(Image.open(arguments.picture).convert("RGB"))
    if arguments.box:
        x, y, width, height = map(int, arguments.box.split(","))
        picture = picture[y : y + height, x : x + width]
    try:
        print(read_frame_number(picture, arguments.clip_height))
    except NoFrameNumber as reason:
        print(f"frame_bar: {arguments.picture}: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
