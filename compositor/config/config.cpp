#include "protected-path/base/toml.h" // first: it sets how toml++ is compiled

#include "compositor/config/config.h"

#include "protected-path/base/log.h"
#include "protected-path/heap/heap_table.h"

#include <charconv>
#include <cstdlib>
#include <format>
#include <fstream>
#include <functional>
#include <sstream>

namespace vitrine {
namespace {

std::unexpected<Error> wrong(const toml::node& node, const std::string& file, const std::string& what) {
  const auto& begin = node.source().begin;
  return invalid("read config", std::format("{}:{}:{}", file, begin.line, begin.column), what);
}

using Setter = std::function<Result<>(const toml::node& value)>;
using Setters = std::map<std::string, Setter, std::less<>>;

enum class Tables { Apply, Skip };

/** Gives every key of a table to its setter; a key without one is an error that lists those that there are. */
Result<> apply(const toml::table& table, const std::string& file, const Setters& setters,
               Tables tables = Tables::Apply) {
  for (const auto& [key, value] : table) {
    if (tables == Tables::Skip && value.is_table()) continue;
    const auto setter = setters.find(key.str());
    if (setter == setters.end()) {
      std::string known;
      for (const auto& [name, unused] : setters)
        known += (known.empty() ? "" : ", ") + name;
      const auto& begin = key.source().begin;
      return invalid("read config", std::format("{}:{}:{}", file, begin.line, begin.column),
                     std::format("unknown key '{}'", key.str()), "known here: " + known);
    }
    if (auto done = setter->second(value); !done) return done;
  }
  return {};
}

/** Takes a number (for a double: a plain decimal) from the beginning of `text`. */
template<typename Number, typename... How>
bool takeNumber(std::string_view& text, Number& into, How... how) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, how...);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc();
}

bool takeCharacter(std::string_view& text, char character) {
  if (!text.starts_with(character)) return false;
  text.remove_prefix(1);
  return true;
}

struct Reader {
  const std::string& file;
  ConfigCheck check;

  Setter text(std::string& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      const auto value = node.value_exact<std::string>();
      if (!value) return wrong(node, file, "must be a string");
      into = *value;
      return {};
    };
  }
  Setter logLevels(std::string& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      if (auto done = text(into)(node); !done) return done;
      const auto levels = parseLogLevels(into);
      return levels ? Result<>() : wrong(node, file, levels.error().text());
    };
  }
  Setter heapOverrides(std::filesystem::path& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      std::string path;
      if (auto done = text(path)(node); !done) return done;
      into = path;
      if (check == ConfigCheck::Text || path.empty()) return {};
      const auto added = HeapTable().addOverrides(into);
      return added ? Result<>() : wrong(node, file, added.error().text());
    };
  }
  Setter flag(bool& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      const auto value = node.value_exact<bool>();
      if (!value) return wrong(node, file, "must be true or false");
      into = *value;
      return {};
    };
  }
  Setter number(int& into, int minimum, int maximum) const {
    return [&into, minimum, maximum, this](const toml::node& node) -> Result<> {
      const auto value = node.value_exact<int64_t>();
      if (!value || *value < minimum || *value > maximum) {
        return wrong(node, file, std::format("must be a whole number from {} to {}", minimum, maximum));
      }
      into = static_cast<int>(*value);
      return {};
    };
  }
  /** Names of interfaces that globalPolicies() has. */
  Setter interfaces(std::vector<std::string>& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      const toml::array* list = node.as_array();
      if (list == nullptr) return wrong(node, file, "must be a list of interfaces");
      into.clear();
      for (const toml::node& entry : *list) {
        const auto name = entry.value_exact<std::string>();
        if (!name || globalPolicyOf(*name) == nullptr)
          return wrong(entry, file, "must be one of the interfaces that `vitrine --list-protocols` lists");
        into.push_back(*name);
      }
      return {};
    };
  }
  template<typename Enum>
  Setter choice(Enum& into, std::map<std::string, Enum> values) const {
    return [&into, values = std::move(values), this](const toml::node& node) -> Result<> {
      const auto word = node.value_exact<std::string>();
      if (const auto found = word ? values.find(*word) : values.end(); found != values.end()) {
        into = found->second;
        return {};
      }
      std::string allowed;
      for (const auto& [name, value] : values)
        allowed += std::format("{}\"{}\"", allowed.empty() ? "" : ", ", name);
      return wrong(node, file, "must be one of " + allowed);
    };
  }
  Setter color(Color& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      const auto value = node.value_exact<std::string>();
      uint32_t rgb = 0;
      const bool shaped = value && value->size() == 7 && value->front() == '#';
      if (!shaped || std::from_chars(value->data() + 1, value->data() + 7, rgb, 16).ptr != value->data() + 7) {
        return wrong(node, file, "must be a colour such as \"#2a2c33\"");
      }
      into = {static_cast<float>(rgb >> 16) / 255, static_cast<float>((rgb >> 8) & 0xff) / 255,
              static_cast<float>(rgb & 0xff) / 255, 1};
      return {};
    };
  }
  Setter scale(float& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      const auto value = node.value<double>();
      if (!value || !(*value >= 0.5 && *value <= 4)) return wrong(node, file, "must be a number from 0.5 to 4");
      into = static_cast<float>(*value);
      return {};
    };
  }
  /** `WIDTHxHEIGHT` or `WIDTHxHEIGHT@HZ`. */
  Setter mode(OutputSettings& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      const auto value = node.value_exact<std::string>();
      std::string_view rest = value ? std::string_view(*value) : std::string_view();
      uint16_t width = 0; // as in struct drm_mode_modeinfo
      uint16_t height = 0;
      double hertz = 0;
      const bool sized = takeNumber(rest, width) && takeCharacter(rest, 'x') && takeNumber(rest, height);
      const bool shaped = !takeCharacter(rest, '@') || takeNumber(rest, hertz, std::chars_format::fixed);
      if (!sized || !shaped || !rest.empty() || width == 0 || height == 0 || !(hertz >= 0 && hertz <= 1000)) {
        return wrong(node, file, "must be a mode such as \"1920x1080\" or \"1920x1080@59.94\"");
      }
      into.mode = {width, height};
      into.refreshMilliHertz = static_cast<uint32_t>(hertz * 1000 + 0.5);
      return {};
    };
  }
  Setter transform(OutputSettings& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      Transform value = Transform::Normal;
      const auto read = choice<Transform>(value, {{"normal", Transform::Normal},
                                                  {"90", Transform::R90},
                                                  {"180", Transform::R180},
                                                  {"270", Transform::R270},
                                                  {"flipped", Transform::Flipped},
                                                  {"flipped-90", Transform::Flipped90},
                                                  {"flipped-180", Transform::Flipped180},
                                                  {"flipped-270", Transform::Flipped270}})(node);
      if (read) into.transform = value;
      return read;
    };
  }
  /** `X,Y` */
  Setter position(OutputSettings& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      const auto value = node.value_exact<std::string>();
      std::string_view rest = value ? std::string_view(*value) : std::string_view();
      int16_t x = 0;
      int16_t y = 0;
      if (!takeNumber(rest, x) || !takeCharacter(rest, ',') || !takeNumber(rest, y) || !rest.empty()) {
        return wrong(node, file, "must be a place such as \"1920,0\"");
      }
      into.position = {x, y};
      return {};
    };
  }
  Setter table(Setters setters) const {
    return [setters = std::move(setters), this](const toml::node& node) -> Result<> {
      const toml::table* inner = node.as_table();
      return inner != nullptr ? apply(*inner, file, setters) : wrong(node, file, "must be a table");
    };
  }
  Setter flag(std::optional<bool>& into) const {
    return [&into, this](const toml::node& node) -> Result<> { return flag(into.emplace())(node); };
  }
  Setter acceleration(std::optional<double>& into) const {
    return [&into, this](const toml::node& node) -> Result<> {
      const auto value = node.value<double>();
      if (!value || !(*value >= -1 && *value <= 1)) return wrong(node, file, "must be a number from -1 to 1");
      into = *value;
      return {};
    };
  }
  Setters device(DeviceSettings& into) const {
    return {
        {"tap", flag(into.tap)},
        {"natural_scroll", flag(into.naturalScroll)},
        {"left_handed", flag(into.leftHanded)},
        {"disable_while_typing", flag(into.disableWhileTyping)},
        {"acceleration", acceleration(into.acceleration)},
        {"acceleration_profile",
         choice<std::optional<bool>>(into.accelerationProfile, {{"adaptive", true}, {"flat", false}})},
    };
  }
  Setters output(OutputSettings& into) const {
    return {
        {"protected", choice<OutputRule>(into.protectedContent, {{"automatic", OutputRule::Automatic},
                                                                 {"allow", OutputRule::Allow},
                                                                 {"deny", OutputRule::Deny}})},
        {"hdcp", choice<Hdcp>(into.hdcp, {{"type0", Hdcp::Type0}, {"type1", Hdcp::Type1}})},
        {"planes", choice<PlaneUse>(into.planes, {{"auto", PlaneUse::Automatic},
                                                  {"composite", PlaneUse::CompositeOnly},
                                                  {"plane", PlaneUse::PlaneOnly}})},
        {"background", color(into.background)},
        {"scale", scale(into.scale)},
        {"mode", mode(into)},
        {"enabled", flag(into.enabled)},
        {"position", position(into)},
        {"transform", transform(into)},
    };
  }
};

/** A table that holds common settings and, as tables, those of single things by name; the common ones are read first. */
template<typename Settings>
Result<> readNamed(const toml::node& node, const Reader& reader, Setters (Reader::*setters)(Settings&) const,
                   Settings& common, std::map<std::string, Settings>& named) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return wrong(node, reader.file, "must be a table");
  if (auto done = apply(*table, reader.file, (reader.*setters)(common), Tables::Skip); !done) return done;
  for (const auto& [key, value] : *table) {
    if (!value.is_table()) continue;
    Settings& settings = named.emplace(std::string(key.str()), common).first->second;
    if (auto done = apply(*value.as_table(), reader.file, (reader.*setters)(settings)); !done) return done;
  }
  return {};
}

/** What is bound, on top of what `bound` has. `parse`: parseKeys or parseButton. */
Result<> readBindings(const toml::node& node, const std::string& file, Result<Chord> (*parse)(std::string_view),
                      Bindings::Table& bound) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return wrong(node, file, "must be a table");
  std::map<Chord, std::string> read;
  for (const auto& [key, value] : *table) {
    const auto atKey = [&](const std::string& what, const std::string& remedy = {}) {
      const auto& begin = key.source().begin;
      return invalid("read config", std::format("{}:{}:{}", file, begin.line, begin.column), what, remedy);
    };
    const auto chord = parse(key.str());
    if (!chord) return atKey(chord.error().detail, chord.error().remedy);
    const auto [earlier, isNew] = read.emplace(*chord, key.str());
    if (!isNew) return atKey(std::format("'{}' and '{}' are the same binding", key.str(), earlier->second));
    const auto text = value.value_exact<std::string>();
    if (!text) return wrong(value, file, "must be a string with an action; `vitrine --list-actions` lists them");
    const auto action = parseAction(*text);
    if (!action) {
      return wrong(value, file,
                   std::format("action '{}': {}; `vitrine --list-actions` lists all", *text, action.error().detail));
    }
    if (parse == parseKeys && infoOf(action->kind).use == ActionUse::InputOnly &&
        action->kind != ActionKind::ReleaseKeys)
      return wrong(value, file, std::format("action '{}' needs a mouse button", *text));
    bound[*chord] = *action;
  }
  return {};
}

/** Names that xkbcommon does not know are an error only where the machine is checked: a session takes a default. */
Result<> readKeyboard(const toml::node& node, const Reader& reader, Config& config) {
  const auto table = reader.table({{"layout", reader.text(config.keymap.layout)},
                                   {"variant", reader.text(config.keymap.variant)},
                                   {"options", reader.text(config.keymap.options)},
                                   {"repeat_rate", reader.number(config.repeatRate, 0, 1000)},
                                   {"repeat_delay", reader.number(config.repeatDelay, 1, 10000)}});
  if (auto done = table(node); !done || reader.check == ConfigCheck::Text) return done;
  KeymapNames names; // one more at a time, to find the wrong one
  for (const auto& [key, name] : {std::pair{"layout", &KeymapNames::layout},
                                  {"variant", &KeymapNames::variant},
                                  {"options", &KeymapNames::options}}) {
    names.*name = config.keymap.*name;
    if ((names.*name).empty() || compileKeymap(names)) continue;
    return wrong(*node.as_table()->get(key), reader.file,
                 std::format("xkbcommon knows no {} \"{}\"", key, names.*name));
  }
  return {};
}

} // namespace

Result<Config> Config::parse(std::string_view text, const std::string& fileName, ConfigCheck check) {
  const Reader reader{fileName, check};
  Config config;
  const Setters top = {
      {"log", reader.table({{"levels", reader.logLevels(config.logLevels)}})},
      {"heaps", reader.table({{"overrides", reader.heapOverrides(config.heapOverrides)}})},
      {"vulkan", reader.table({{"device", reader.text(config.vulkanDevice)},
                               {"validation", reader.flag(config.vulkanValidation)}})},
      {"security", reader.table({{"sandbox_allow", reader.interfaces(config.security.sandboxAllow)},
                                 {"sandbox_deny", reader.interfaces(config.security.sandboxDeny)}})},
      {"desktop",
       reader.table({{"terminal", reader.text(config.terminal)}, {"xwayland", reader.flag(config.xwayland)}})},
      {"kiosk", reader.table({{"vt_switch", reader.flag(config.kioskVtSwitch)}})},
      {"keyboard", [&](const toml::node& node) { return readKeyboard(node, reader, config); }},
      {"bindings",
       [&](const toml::node& node) { return readBindings(node, fileName, parseKeys, config.bindings.keys); }},
      {"mouse_bindings",
       [&](const toml::node& node) { return readBindings(node, fileName, parseButton, config.bindings.buttons); }},
      {"input",
       [&](const toml::node& node) {
         return readNamed(node, reader, &Reader::device, config.anyDevice, config.devices);
       }},
      {"output",
       [&](const toml::node& node) {
         return readNamed(node, reader, &Reader::output, config.anyOutput, config.outputs);
       }},
  };
  const auto parsed = parseToml("read config", text, fileName);
  if (!parsed) return std::unexpected(parsed.error());
  if (auto done = apply(*parsed, fileName, top); !done) return std::unexpected(done.error());
  return config;
}

Result<Config> Config::load(const std::filesystem::path& file, ConfigCheck check) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return systemError("read", file.string(), EISDIR);
  std::ifstream stream(file);
  if (!stream) return systemError("open", file.string());
  std::stringstream text;
  text << stream.rdbuf();
  return parse(text.str(), file.string(), check);
}

std::filesystem::path Config::userFile() {
  if (const char* home = std::getenv("XDG_CONFIG_HOME"); home != nullptr && *home != '\0')
    return std::filesystem::path(home) / "vitrine" / "vitrine.toml";
  if (const char* user = std::getenv("HOME"); user != nullptr)
    return std::filesystem::path(user) / ".config" / "vitrine" / "vitrine.toml";
  return {};
}

std::filesystem::path Config::find() {
  for (const auto& file : {userFile(), std::filesystem::path("/etc/xdg/vitrine/vitrine.toml")}) {
    std::error_code ignored;
    if (!file.empty() && std::filesystem::exists(file, ignored)) return file;
  }
  return {};
}

Result<> applyLogLevels(const Config& config, const std::string& commandLine) {
  const char* environment = std::getenv("VITRINE_LOG");
  if (auto done = setLogLevels(config.logLevels); !done) return done;
  if (auto done = setLogLevels(environment != nullptr ? environment : ""); !done) {
    return invalid("read VITRINE_LOG", environment, done.error().text());
  }
  return setLogLevels(commandLine);
}

std::vector<std::string> changesForNextStart(const Config& now, const Config& next) {
  std::vector<std::string> keys;
  if (now.heapOverrides != next.heapOverrides) keys.emplace_back("heaps.overrides");
  if (now.vulkanDevice != next.vulkanDevice) keys.emplace_back("vulkan.device");
  if (now.vulkanValidation != next.vulkanValidation) keys.emplace_back("vulkan.validation");
  if (now.xwayland != next.xwayland) keys.emplace_back("desktop.xwayland");
  return keys;
}

} // namespace vitrine
