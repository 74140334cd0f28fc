#include <clocale>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compositor/ctl/status_view.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;
using Lines = std::vector<std::string>;

class StatusView : public testing::Test {
protected:
  void SetUp() override { ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr); }
};

TEST_F(StatusView, ControlCharactersOfTitlesReachNoTerminal) {
  EXPECT_EQ(printable("a\x1b]0;evil\x07z"), "a?]0;evil?z");
  EXPECT_EQ(printable("a\r\n\tb\x7f"), "a???b?");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");                              // CSI in C1
  EXPECT_EQ(printable("x\u202ey\u2066"), "x?y?"); // directions
  EXPECT_EQ(printable("\xff\xe2\x82"), "???");    // no UTF-8
  EXPECT_EQ(printable("Vitrine – 窓"), "Vitrine – 窓");
}

TEST_F(StatusView, LinesAreCutToTheColumnsOfATerminal) {
  EXPECT_EQ(fitted("abc", 3), "abc");
  EXPECT_EQ(fitted("abcd", 3), "ab…");
  EXPECT_EQ(fitted("窓窓窓", 6), "窓窓窓");
  EXPECT_EQ(fitted("窓窓窓", 5), "窓窓…");
  EXPECT_EQ(fitted("窓窓窓", 4), "窓…");
  EXPECT_EQ(fitted("abc", 1), "…");
  EXPECT_EQ(fitted("abc", 0), "");
}

TEST_F(StatusView, AStatusIsShownWithRatesPathsAndReasons) {
  const auto status = ordered_json::parse(R"({"version":"1.2","outputs":[
    {"name":"HDMI-A-1","on":true,"mode":{"width":1920,"height":1080,"refresh_millihertz":59940},"scale":1.5,"transform":"90",
     "hdcp":{"state":"enabled","link":"type1"},"planes":[31,40]},
    {"name":"DP-1","on":false,"mode":{},"scale":1,"transform":"normal","hdcp":{"state":"off","link":"off"},"planes":[]}],
    "windows":[{"title":"a film","app_id":"play","box":[1,2,640,360],"output":"HDMI-A-1","focused":true,"minimized":false,
      "surfaces":[{"output":"HDMI-A-1","path":"plane","refusal":null,"reason":null,"plane":40,"underlay":true},
                  {"output":"HDMI-A-1","path":"composited","refusal":"PlaneNotDmabuf","reason":"no dma-buf","plane":null,"underlay":false}]},
      {"title":"窓","app_id":"foot","box":[0,0,10,20],"output":"DP-1","focused":false,"minimized":true,"surfaces":[]}],
    "counters":{"outputs":[{"name":"HDMI-A-1","frames_presented":130,"frames_missed":1,"frames_rendered":2,"atomic_commits":3,
      "failed_commits":4,"test_only_commits":5,"failed_test_only_commits":6}],"buffers":{"accepted":7,"refused":8,"protected":9}}})");
  auto before = status;
  before["counters"]["outputs"][0]["frames_presented"] = 100;
  EXPECT_EQ(statusLines(status, before, 0.5),
            (Lines{"vitrine 1.2   HDMI-A-1 60.0 frames/s", "",
                   "OUTPUT    MODE             SCALE  TRANSFORM  HDCP             PLANES",
                   "HDMI-A-1  1920x1080@59.94  1.5    90         enabled (type1)  31 40",
                   "DP-1      off              1      normal     off (off)", "",
                   "  WINDOW  TITLE   BOX          OUTPUT    PATH                 WHY NOT A PLANE",
                   "* play    a film  640x360+1+2  HDMI-A-1  plane 40 (underlay)",
                   "                               HDMI-A-1  composited           PlaneNotDmabuf: no dma-buf",
                   "  foot    窓      10x20+0+0    DP-1      minimized", "",
                   "OUTPUT    FRAMES  MISSED  RENDERED  COMMITS  FAILED  TESTS  FAILED",
                   "HDMI-A-1  130     1       2         3        4       5      6",
                   "buffers: 7 accepted, 8 refused, 9 protected"}));
}

TEST_F(StatusView, AStatusOfAnotherVersionIsShownAsFarAsItGoes) {
  for (const char* text :
       {"{}", "[]", "null", R"({"outputs":1,"windows":"x","counters":[]})", R"({"windows":[1,{"surfaces":2}]})"}) {
    const auto status = ordered_json::parse(text);
    EXPECT_FALSE(statusLines(status, ordered_json(), 0).empty()) << text;
  }
}

} // namespace
} // namespace vitrine
