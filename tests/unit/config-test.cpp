#include <cstdlib>
#include <filesystem>
#include <format>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <linux/input-event-codes.h>
#include <unistd.h>

#include "compositor/config/config.h"

namespace vitrine {
namespace {

TEST(Config, AnEmptyFileMeansTheDefaults) {
  EXPECT_EQ(Config::parse("", "vitrine.toml"), Config{});
  EXPECT_EQ(Config::parse("[output]\n[keyboard]\n", "vitrine.toml"), Config{});
}

TEST(Config, EveryKeyIsRead) {
  const auto config = Config::parse(R"(
[log]
levels = "warn,kms=debug"
[heaps]
overrides = "/nowhere/heaps.toml"
[vulkan]
device = "acme"
validation = true
[security]
sandbox_allow = ["zwlr_screencopy_manager_v1"]
sandbox_deny = ["wl_data_device_manager", "xdg_activation_v1"]
[desktop]
terminal = "weston-terminal"
xwayland = true
[kiosk]
vt_switch = true
[keyboard]
layout = "de,us"
variant = "neo,"
options = "caps:none"
repeat_rate = 0
repeat_delay = 10000
[output]
protected = "deny"
hdcp = "type1"
planes = "composite"
background = "#0080fF"
scale = 2
mode = "1920x1080@59.94"
)",
                                    "vitrine.toml");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->logLevels, "warn,kms=debug");
  EXPECT_EQ(config->heapOverrides, "/nowhere/heaps.toml");
  EXPECT_EQ(config->vulkanDevice, "acme");
  EXPECT_TRUE(config->vulkanValidation);
  EXPECT_EQ(config->security.sandboxAllow, std::vector<std::string>{"zwlr_screencopy_manager_v1"});
  EXPECT_EQ(config->security.sandboxDeny, (std::vector<std::string>{"wl_data_device_manager", "xdg_activation_v1"}));
  EXPECT_EQ(config->terminal, "weston-terminal");
  EXPECT_TRUE(config->xwayland);
  EXPECT_TRUE(config->kioskVtSwitch);
  EXPECT_EQ(config->keymap, (KeymapNames{"de,us", "neo,", "caps:none"}));
  EXPECT_EQ(config->repeatRate, 0);
  EXPECT_EQ(config->repeatDelay, 10000);
  EXPECT_EQ(config->anyOutput.protectedContent, OutputRule::Deny);
  EXPECT_EQ(config->anyOutput.hdcp, Hdcp::Type1);
  EXPECT_EQ(config->anyOutput.planes, PlaneUse::CompositeOnly);
  EXPECT_EQ(config->anyOutput.background, (Color{0, 128.0F / 255, 1, 1}));
  EXPECT_EQ(config->anyOutput.scale, 2);
  EXPECT_EQ(config->anyOutput.mode, (Size{1920, 1080}));
  EXPECT_EQ(config->anyOutput.refreshMilliHertz, 59940U);
}

TEST(Config, AnOutputStandsOnTheCommonSettings) {
  // Wherever they stand in the file.
  const auto config = Config::parse("[output.HDMI-A-1]\nprotected = \"allow\"\nmode = \"640x480\"\n"
                                    "position = \"-1920,30\"\nenabled = false\ntransform = \"270\"\n"
                                    "[output]\nscale = 1.5\nprotected = \"deny\"\n",
                                    "vitrine.toml");
  ASSERT_TRUE(config) << config.error().text();
  const OutputSettings& named = config->settingsFor("HDMI-A-1");
  EXPECT_EQ(named.protectedContent, OutputRule::Allow);
  EXPECT_EQ(named.mode, (Size{640, 480}));
  EXPECT_EQ(named.position, (Position{-1920, 30}));
  EXPECT_FALSE(named.enabled);
  EXPECT_EQ(named.transform, Transform::R270);
  EXPECT_EQ(named.refreshMilliHertz, 0U);
  EXPECT_EQ(named.scale, 1.5F);
  const OutputSettings& other = config->settingsFor("DP-1");
  EXPECT_EQ(other.protectedContent, OutputRule::Deny);
  EXPECT_EQ(other.mode, Size{});
}

TEST(Config, BindingsStandOnTheDefaults) {
  const auto config = Config::parse(R"(
[bindings]
"super+SHIFT+Q" = "run  notify-send 'a  b'"
"Logo+q" = "none"
"XF86AudioMute" = "snap top"
[mouse_bindings]
"Ctrl+Alt+MiddleButton" = "close"
)",
                                    "vitrine.toml");
  ASSERT_TRUE(config) << config.error().text();
  const Bindings::Table& keys = config->bindings.keys;
  constexpr uint32_t locks = WLR_MODIFIER_CAPS | WLR_MODIFIER_MOD2; // do not count
  const Action* run = Bindings::find(keys, WLR_MODIFIER_LOGO | WLR_MODIFIER_SHIFT | locks, XKB_KEY_q);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(*run, (Action{ActionKind::Run, "notify-send 'a  b'"}));
  EXPECT_EQ(Bindings::find(keys, WLR_MODIFIER_LOGO, XKB_KEY_q), nullptr);
  EXPECT_EQ(*Bindings::find(keys, 0, XKB_KEY_XF86AudioMute), (Action{ActionKind::Snap, "top"}));
  EXPECT_EQ(*Bindings::find(keys, WLR_MODIFIER_LOGO, XKB_KEY_Return), (Action{ActionKind::Terminal, ""}));
  EXPECT_EQ(Bindings::find(keys, WLR_MODIFIER_LOGO | WLR_MODIFIER_CTRL, XKB_KEY_Return), nullptr);
  const Bindings::Table& buttons = config->bindings.buttons;
  EXPECT_EQ(*Bindings::find(buttons, WLR_MODIFIER_CTRL | WLR_MODIFIER_ALT, BTN_MIDDLE),
            (Action{ActionKind::Close, ""}));
  EXPECT_EQ(*Bindings::find(buttons, WLR_MODIFIER_LOGO, BTN_LEFT), (Action{ActionKind::Move, ""}));
}

TEST(Config, EveryDefaultBindingIsBound) {
  size_t keys = 0;
  size_t buttons = 0;
  for (const ActionInfo& info : actionInfos()) {
    keys += info.keys.size();
    buttons += info.buttons.size();
  }
  EXPECT_EQ(Bindings::defaults().keys.size(), keys);
  EXPECT_EQ(Bindings::defaults().buttons.size(), buttons);
}

struct WrongFile {
  const char* text;
  const char* position; ///< line:column
  const char* words;    ///< of the message, after the position
};

void expectError(const Result<Config>& config, const WrongFile& wrong) {
  ASSERT_FALSE(config) << wrong.text;
  EXPECT_EQ(config.error().kind, ErrorKind::Invalid) << wrong.text;
  EXPECT_EQ(config.error().object, std::format("vitrine.toml:{}", wrong.position)) << wrong.text;
  EXPECT_TRUE(config.error().text().contains(wrong.words)) << wrong.text << config.error().text();
}

TEST(Config, ErrorsNameLineAndColumn) {
  constexpr const char* colour = "must be a colour such as \"#2a2c33\"";
  constexpr const char* mode = "must be a mode such as \"1920x1080\" or \"1920x1080@59.94\"";
  constexpr const char* scale = "must be a number from 0.5 to 4";
  constexpr const char* rate = "must be a whole number from 0 to 1000";
  constexpr const char* delay = "must be a whole number from 1 to 10000";
  constexpr const char* levels = "no such level; use trace, debug, info, warn, error, critical or off";
  constexpr WrongFile cases[] = {
      // No TOML. What is said of it is toml++'s.
      {"[output\n", "1:8", ""},
      {"scale\n", "1:6", ""},
      {"[keyboard]\nlayout = \"de\n", "2:13", ""},
      {"[log]\nlevels = \"\xff\"\n", "2:10", ""},
      // Twice
      {"[vulkan]\ndevice = \"a\"\ndevice = \"b\"\n", "3:10", "device"},
      {"[vulkan]\n[desktop]\n[vulkan]\n", "3:1", "vulkan"},
      {"[output.A]\n[output.A]\n", "2:1", "A"},
      // Unknown keys
      {"scale = 1\n", "1:1",
       "unknown key 'scale'; known here: bindings, desktop, heaps, input, keyboard, kiosk, log, mouse_bindings, "
       "output, security, vulkan"},
      {"[outputs]\n", "1:2", "unknown key 'outputs'"},
      {"[output]\n  planez = \"auto\"\n", "2:3",
       "unknown key 'planez'; known here: background, enabled, hdcp, mode, planes, position, protected, scale, "
       "transform"},
      {"[output.HDMI-A-1]\nplanez = \"auto\"\n", "2:1", "unknown key 'planez'"},
      {"[output.A.B]\nscale = 1\n", "1:11", "unknown key 'B'"},
      {"[keyboard]\nmodel = \"pc105\"\n", "2:1",
       "unknown key 'model'; known here: layout, options, repeat_delay, repeat_rate, variant"},
      {"[security]\nsandbox_allow = \"wl_shm\"\n", "2:17", "must be a list of interfaces"},
      {"[security]\nsandbox_allow = [\"wl_shm\", \"wl_sm\"]\n", "2:28", "`vitrine --list-protocols`"},
      {"[log]\nLevels = \"info\"\n", "2:1", "unknown key 'Levels'; known here: levels"},
      {"vulkan.validate = true\n", "1:8", "unknown key 'validate'; known here: device, validation"},
      // Bindings
      {"[bindings]\n\"Logo+q\" = 1\n", "2:12", "must be a string with an action; `vitrine --list-actions` lists them"},
      {"[bindings]\n\"Logo+q\" = \"explode\"\n", "2:12",
       "action 'explode': there is no such action; `vitrine --list-actions` lists all"},
      {"[bindings]\n\"Logo+q\" = \"close now\"\n", "2:12", "action 'close now': takes no argument 'now'"},
      {"[bindings]\n\"Logo+q\" = \"run \"\n", "2:12", "action 'run ': needs COMMAND"},
      {"[bindings]\n\"Logo+q\" = \"snap up\"\n", "2:12", "action 'snap up': needs left|right|top|bottom|off, not 'up'"},
      {"[bindings]\n\"Logo+q\" = \"switch-vt 13\"\n", "2:12", "action 'switch-vt 13': needs NUMBER, not '13'"},
      {"[bindings]\n\"Logo+q\" = \"move\"\n", "2:12", "action 'move' needs a mouse button"},
      {"[bindings]\n\"Hyper+q\" = \"close\"\n", "2:1",
       "there is no modifier 'Hyper'; the modifiers are Logo, Ctrl, Alt and Shift"},
      {"[bindings]\n\"Logo+Enter\" = \"close\"\n", "2:1", "there is no key 'Enter'; keys have the names of XKB"},
      {"[bindings]\n\"Logo+\" = \"close\"\n", "2:1", "there is no key ''"},
      {"[bindings]\n\"Logo+Q\" = \"close\"\n\"Super+q\" = \"quit\"\n", "3:1",
       "'Super+q' and 'Logo+Q' are the same binding"},
      {"[mouse_bindings]\n\"LeftButton\" = \"move\"\n", "2:1", "a button needs a modifier"},
      {"[mouse_bindings]\n\"Logo+Left\" = \"move\"\n", "2:1",
       "there is no button 'Left'; the buttons are LeftButton, RightButton"},
      // Wrong types
      {"output = 1\n", "1:10", "must be a table"},
      {"log = \"info\"\n", "1:7", "must be a table"},
      {"[[keyboard]]\nlayout = \"de\"\n", "1:1", "must be a table"},
      {"[log]\nlevels = 3\n", "2:10", "must be a string"},
      {"[heaps]\noverrides = [\"x\"]\n", "2:13", "must be a string"},
      {"[vulkan]\nvalidation = \"true\"\n", "2:14", "must be true or false"},
      {"[vulkan]\nvalidation = 1\n", "2:14", "must be true or false"},
      {"[keyboard]\nlayout = true\n", "2:10", "must be a string"},
      {"[keyboard]\nrepeat_rate = 25.0\n", "2:15", rate},
      {"[keyboard]\nrepeat_rate = \"25\"\n", "2:15", rate},
      {"[output]\nprotected = true\n", "2:13", R"(must be one of "allow", "automatic", "deny")"},
      {"[output]\nscale = true\n", "2:9", scale},
      {"[output]\nscale = \"1\"\n", "2:9", scale},
      {"[output]\nbackground = 0x292b33\n", "2:14", colour},
      {"[output]\nmode = 1080\n", "2:8", mode},
      // Words
      {"[output]\nplanes = \"Auto\"\n", "2:10", R"(must be one of "auto", "composite", "plane")"},
      {"[output.A]\nprotected = \"\"\n", "2:13", R"(must be one of "allow", "automatic", "deny")"},
      {"[log]\nlevels = \"loud\"\n", "2:10", levels},
      {"[log]\nlevels = \"info,kms=\"\n", "2:10", levels},
      {"[log]\nlevels = \"info,,kms=debug\"\n", "2:10", levels},
      {"[log]\nlevels = \"kms=debug=trace\"\n", "2:10", levels},
      // Ranges
      {"[keyboard]\nrepeat_rate = -1\n", "2:15", rate},
      {"[keyboard]\nrepeat_rate = 1001\n", "2:15", rate},
      {"[keyboard]\nrepeat_rate = 4294967296\n", "2:15", rate},
      {"[keyboard]\nrepeat_rate = nan\n", "2:15", rate},
      {"[keyboard]\nrepeat_delay = 0\n", "2:16", delay},
      {"[keyboard]\nrepeat_delay = 10001\n", "2:16", delay},
      {"[output]\nscale = nan\n", "2:9", scale},
      {"[output]\nscale = inf\n", "2:9", scale},
      {"[output]\nscale = -inf\n", "2:9", scale},
      {"[output]\nscale = 0.49\n", "2:9", scale},
      {"[output]\nscale = 4.01\n", "2:9", scale},
      {"[output]\nscale = 0\n", "2:9", scale},
      // Colours
      {"[output]\nbackground = \"\"\n", "2:14", colour},
      {"[output]\nbackground = \"#29b\"\n", "2:14", colour},
      {"[output]\nbackground = \"#292b3g\"\n", "2:14", colour},
      {"[output]\nbackground = \"#-92b33\"\n", "2:14", colour},
      {"[output]\nbackground = \"#292b33ff\"\n", "2:14", colour},
      {"[output]\nbackground = \"black\"\n", "2:14", colour},
      // Modes
      {"[output]\nenabled = 1\n", "2:11", "must be true or false"},
      {"[output]\ntransform = \"45\"\n", "2:13",
       "must be one of \"180\", \"270\", \"90\", \"flipped\", \"flipped-180\", \"flipped-270\", \"flipped-90\", "
       "\"normal\""},
      {"[output]\nposition = \"1\"\n", "2:12", "must be a place such as \"1920,0\""},
      {"[output]\nposition = \"1,2,3\"\n", "2:12", "must be a place such as \"1920,0\""},
      {"[output]\nposition = \"99999,0\"\n", "2:12", "must be a place such as \"1920,0\""},
      {"[output]\nmode = \"\"\n", "2:8", mode},
      {"[output]\nmode = \"1920\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x\"\n", "2:8", mode},
      {"[output]\nmode = \"0x1080\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x0\"\n", "2:8", mode},
      {"[output]\nmode = \"-1x5\"\n", "2:8", mode},
      {"[output]\nmode = \"+1x5\"\n", "2:8", mode},
      {"[output]\nmode = \" 1920x1080\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x 1080\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x1080 \"\n", "2:8", mode},
      {"[output]\nmode = \"1920X1080\"\n", "2:8", mode},
      {"[output]\nmode = \"65536x1080\"\n", "2:8", mode},
      {"[output]\nmode = \"4294967297x5\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x1080@\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x1080@-60\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x1080@nan\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x1080@inf\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x1080@1001\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x1080@60Hz\"\n", "2:8", mode},
      {"[output]\nmode = \"1920x1080@0x10\"\n", "2:8", mode},
  };
  for (const WrongFile& one : cases)
    expectError(Config::parse(one.text, "vitrine.toml"), one);
}

TEST(Config, ATextThatBreaksTheParsersAssertionIsAnError) {
  const auto config = Config::parse("[= 2\n", "vitrine.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().text(),
            "read config vitrine.toml: a key or a value begins with a character that TOML does not "
            "allow there");
}

TEST(Config, WhatItNamesIsLookedForOnlyWhereTheMachineIsChecked) {
  constexpr WrongFile cases[] = {
      {"[heaps]\noverrides = \"/nowhere/heaps.toml\"\n", "2:13", "open /nowhere/heaps.toml: ENOENT (2)"},
      {"[keyboard]\nlayout = \"nowhere\"\n", "2:10", "xkbcommon knows no layout \"nowhere\""},
      {"[keyboard]\nlayout = \"de,nowhere\"\n", "2:10", "xkbcommon knows no layout \"de,nowhere\""},
      {"[keyboard]\nvariant = \"nothing\"\nlayout = \"de\"\n", "2:11", "xkbcommon knows no variant \"nothing\""},
  };
  for (const WrongFile& one : cases) {
    const auto config = Config::parse(one.text, "vitrine.toml");
    EXPECT_TRUE(config) << one.text << config.error().text();
    expectError(Config::parse(one.text, "vitrine.toml", ConfigCheck::Machine), one);
  }
  const auto right = Config::parse("[heaps]\noverrides = \"\"\n"
                                   "[keyboard]\nlayout = \"de\"\nvariant = \"neo\"\noptions = \"caps:none\"\n",
                                   "vitrine.toml", ConfigCheck::Machine);
  EXPECT_TRUE(right) << right.error().text();
}

std::string exampleText() {
  std::stringstream text;
  text << std::ifstream(EXAMPLE_CONFIG).rdbuf();
  return text.str();
}

/** The keys that the reader knows in a table ("": the top), as it lists them to who writes another. */
std::set<std::string> knownKeys(const std::string& table) {
  const auto config = Config::parse((table.empty() ? "" : "[" + table + "]\n") + "no-such-key = 1\n", "vitrine.toml");
  EXPECT_FALSE(config);
  std::set<std::string> keys;
  const std::string list = config ? "" : config.error().remedy.substr(std::string_view("known here: ").size());
  const std::regex word("[a-z_]+");
  for (auto found = std::sregex_iterator(list.begin(), list.end(), word); found != std::sregex_iterator(); ++found)
    keys.insert(found->str());
  return keys;
}

TEST(Config, TheExampleIsTheDefaults) {
  EXPECT_EQ(Config::parse(exampleText(), EXAMPLE_CONFIG, ConfigCheck::Machine), Config{});
}

TEST(Config, TheExampleHasEveryKeyThatIsKnown) {
  // What is commented out is an example, too.
  const std::string text = std::regex_replace(exampleText(), std::regex("\n# ([a-z_]+ +=|\\[)"), "\n$1");
  const auto config = Config::parse(text, EXAMPLE_CONFIG, ConfigCheck::Machine);
  ASSERT_TRUE(config) << config.error().text();
  std::map<std::string, std::set<std::string>> shown;
  std::string table;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (std::regex_search(line, found, std::regex("^\\[(.*?)\\]"))) table = found[1];
    if (std::regex_search(line, found, std::regex("^([a-z_]+) *="))) shown[table].insert(found[1]);
  }
  EXPECT_FALSE(config->outputs.empty()) << "no example of a single output";
  for (const std::string& top : knownKeys("")) {
    if (top == "bindings" || top == "mouse_bindings") continue; // see the test below
    EXPECT_FALSE(knownKeys(top).empty());
    EXPECT_EQ(shown[top], knownKeys(top)) << "[" << top << "]";
  }
}

TEST(Config, TheExampleHasEveryDefaultBinding) {
  const std::string text = exampleText();
  for (const ActionInfo& info : actionInfos()) {
    for (const auto* table : {&info.keys, &info.buttons}) {
      for (const DefaultBinding& each : *table) {
        const std::string action = std::format("{}{}{}", info.name, each.argument.empty() ? "" : " ", each.argument);
        const std::string line = std::format("\n\"{}\" = \"{}\"", each.chord, action);
        EXPECT_TRUE(text.contains(line)) << line;
      }
    }
  }
}

class ConfigFile : public testing::Test {
protected:
  void SetUp() override { std::filesystem::create_directories(directory_ / "vitrine"); }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("config-test-" + std::to_string(getpid()));
  std::filesystem::path file_ = directory_ / "vitrine" / "vitrine.toml";
};

TEST_F(ConfigFile, ErrorsNameIt) {
  std::ofstream(file_) << "[output]\nscale = 9\n";
  const auto config = Config::load(file_);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().text(), std::format("read config {}:2:9: must be a number from 0.5 to 4", file_.string()));
}

TEST_F(ConfigFile, ThatCannotBeReadIsASystemError) {
  EXPECT_EQ(Config::load(file_).error().text(), std::format("open {}: ENOENT (2)", file_.string()));
  EXPECT_EQ(Config::load(directory_).error().text(), std::format("read {}: EISDIR (21)", directory_.string()));
}

TEST_F(ConfigFile, IsFoundWhereTheDesktopsRulesSay) {
  ASSERT_EQ(setenv("XDG_CONFIG_HOME", directory_.c_str(), 1), 0);
  EXPECT_NE(Config::find(), file_); // the file is not there yet
  std::ofstream(file_) << "";
  EXPECT_EQ(Config::find(), file_);
  ASSERT_EQ(unsetenv("XDG_CONFIG_HOME"), 0);
  ASSERT_EQ(setenv("HOME", directory_.c_str(), 1), 0);
  EXPECT_NE(Config::find(), file_);
  std::filesystem::create_directories(directory_ / ".config" / "vitrine");
  std::ofstream(directory_ / ".config" / "vitrine" / "vitrine.toml") << "";
  EXPECT_EQ(Config::find(), directory_ / ".config" / "vitrine" / "vitrine.toml");
}

} // namespace
} // namespace vitrine
