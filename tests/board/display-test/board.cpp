#include "tests/board/display-test/board.h"

#include <algorithm>
#include <bit>
#include <filesystem>
#include <format>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "protected-path/kms/drm_pointer.h"
#include "protected-path/kms/kms_device.h"
#include "protected-path/render/renderer.h"
#include "protected-path/tee/frame_decrypt.h"
#include "protected-path/tee/tee_session.h"
#include "protected-path/tee/tee_uapi.h"
#include "tests/board/common/watched_child.h"
#include "tests/board/display-test/case.h"
#include "tests/board/display-test/protected_buffer.h"
#include "tests/board/display-test/test_display.h"
#include "tests/board/wayland/wayland_connection.h"

namespace vitrine::display_test {
namespace {

using nlohmann::json;

constexpr Nanoseconds second = 1'000'000'000;

std::string readLine(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string operatingSystemName() {
  std::ifstream stream("/etc/os-release");
  constexpr std::string_view key = "PRETTY_NAME=\"";
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(key) && line.ends_with('"')) return line.substr(key.size(), line.size() - key.size() - 1);
  }
  return {};
}

std::string driverOf(const std::string& node) {
  const UniqueFd fd(open(node.c_str(), O_RDWR | O_CLOEXEC));
  const DrmPointer<drmVersion> version(fd ? drmGetVersion(fd.get()) : nullptr);
  if (!version) return {};
  return std::format("{} {}.{}.{}", version->name, version->version_major, version->version_minor,
                     version->version_patchlevel);
}

std::vector<DrmFacts> drmDevices() {
  const std::filesystem::path directory = "/sys/class/drm";
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  std::vector<DrmFacts> devices;
  for (const std::string& name : names) {
    if (!name.starts_with("card") || name.contains('-')) continue;
    DrmFacts facts{"/dev/dri/" + name, driverOf("/dev/dri/" + name), {}};
    for (const std::string& connector : names) {
      if (connector.starts_with(name + "-"))
        facts.connectors.push_back(connector.substr(name.size() + 1) + " " +
                                   readLine(directory / connector / "status"));
    }
    devices.push_back(std::move(facts));
  }
  return devices;
}

/** What `ask` answers, from a child of its own; or, where it gives no answer in time, an object with `error`. */
template<typename Ask>
json askWatched(Ask ask, const BoardWishes& wishes, Nanoseconds limit, std::string_view hint) {
  const auto end = runWatched(
      [&](int output) {
        const std::string text = json(ask()).dump();
        return write(output, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1;
      },
      {limit, wishes.stopFd});
  if (!end) return {{"error", end.error().text()}};
  if (end->how == WatchedEnd::How::Exited) {
    json answer = json::parse(end->output, nullptr, false);
    if (answer.is_object()) return answer;
  }
  if (end->how == WatchedEnd::How::Signalled)
    return {{"error", std::format("ended by signal {}; {}", end->number, hint)}};
  return {{"error", std::format("no answer within {} s; {}", limit / second, hint)}};
}

std::string implementationName(uint32_t id) {
  switch (id) {
  case TEE_IMPL_ID_OPTEE:
    return "OP-TEE";
  case TEE_IMPL_ID_AMDTEE:
    return "AMD TEE";
  case TEE_IMPL_ID_TSTEE:
    return "Arm trusted services";
  case teeImplementationQtee:
    return "Qualcomm TEE";
  case teeImplementationVitrine:
    return "simulated secure world of the Vitrine platform";
  default:
    return std::format("unknown implementation {}", id);
  }
}

json askApplication(const std::string& node, std::string_view uuid) {
  const auto device = TeeDevice::open(node);
  if (!device) return {{"error", device.error().text()}};
  const auto session = TeeSession::open(*device, TeeUuid::parse(uuid));
  return {{"error", session ? std::string() : session.error().text()}};
}

void lookAtTee(Board& board, const BoardWishes& wishes) {
  constexpr std::string_view hint = "is tee-supplicant running?";
  TeeFacts& tee = board.tee;
  const json version = askWatched(
      [] {
        const auto device = TeeDevice::open();
        if (!device) return json{{"error", device.error().text()}};
        return json{{"node", device->node().string()}, {"id", device->version().implementationId}};
      },
      wishes, 3 * second, "the TEE driver hangs");
  tee.error = version.value("error", "");
  if (!tee.error.empty()) return;
  tee.node = version.at("node");
  tee.implementation = implementationName(version.at("id"));
  // optee_test's first: an application that is not there makes OP-TEE ask its supplicant, and wait for it.
  const auto ask = [&](std::string_view uuid) {
    return askWatched([&] { return askApplication(tee.node, uuid); }, wishes, 3 * second, hint).value("error", "");
  };
  tee.sdpBasicError = ask(sdp_basic::uuid);
  tee.sdpBasic = tee.sdpBasicError.empty();
  tee.frameDecryptError = ask(frame_decrypt::uuid);
  tee.frameDecrypt = tee.frameDecryptError.empty();
}

void lookForDump(Board& board, const BoardWishes& wishes) {
  board.tee.dumpError = "there is no protected buffer to dump";
  if (board.nominated.empty()) return;
  const json answer = askWatched(
      [&] {
        const auto buffer = ProtectedBuffer::allocate(board.nominated.front(), 4096);
        const auto bytes = buffer ? buffer->dump(board, 0, 4096) : std::unexpected(buffer.error());
        return json{{"error", bytes ? std::string() : bytes.error().text()}};
      },
      wishes, 5 * second, "the TEE hangs");
  board.tee.dumpError = answer.value("error", "");
  board.tee.dumps = board.tee.dumpError.empty();
}

void lookAtGpus(Board& board, const BoardWishes& wishes) {
  const json answer = askWatched(
      [] {
        json devices = json::array();
        for (const VulkanDeviceReport& report : listVulkanDevices()) {
          devices.push_back({{"name", report.name},
                             {"driver", report.driver},
                             {"render_node", report.renderNode},
                             {"software", report.softwareRasterizer},
                             {"imports", report.gpu.dmabufImport},
                             {"protected", report.gpu.protectedMemory}});
        }
        return json{{"devices", devices}};
      },
      wishes, 30 * second, "the Vulkan driver crashed or hangs");
  for (const auto& device : answer.value("devices", json::array()))
    board.gpus.push_back({device.at("name"), device.at("driver"), device.at("render_node"), device.at("software"),
                          device.at("imports"), device.at("protected")});
}

void lookAtDisplay(Board& board, const BoardWishes& wishes) {
  constexpr std::string_view noDevice = "there is no KMS device with a connector";
  const json answer = askWatched(
      [&] {
        json found{{"error", std::string(noDevice)}};
        const auto nodes = wishes.card.empty() ? KmsDevice::listNodes() : std::vector{wishes.card};
        for (const std::string& node : nodes) {
          UniqueFd fd(open(node.c_str(), O_RDWR | O_CLOEXEC));
          if (!fd) {
            found = {{"error", systemError("open", node, 0, "be in group video, or root").error().text()}};
            continue;
          }
          const bool master = drmIsMaster(fd.get()) != 0;
          const auto device = KmsDevice::open(std::move(fd), node);
          if (!device) {
            found = {{"error", device.error().text()}};
            continue;
          }
          const auto& connectors = (*device)->connectors();
          const auto lit =
              std::ranges::find_if(connectors, [](const Connector& one) { return one.connected && !one.writeback; });
          found = {{"node", node},
                   {"driver", (*device)->driverName()},
                   {"connector", lit == connectors.end() ? std::string() : lit->name},
                   {"master", master}};
          if (lit != connectors.end()) break;
        }
        return found;
      },
      wishes, 10 * second, "the display driver crashed or hangs");
  board.card = answer.value("node", "");
  const std::string error = answer.value("error", std::string(noDevice));
  const std::string connector = answer.value("connector", "");
  board.displayName = connector.empty() ? answer.value("driver", "") : answer.value("driver", "") + ", " + connector;
  if (board.card.empty()) {
    board.unmet[std::countr_zero(uint32_t{NeedCard})] = error;
    board.unmet[std::countr_zero(uint32_t{NeedMaster})] = error;
    return;
  }
  board.met |= NeedCard;
  std::string& whyNotMaster = board.unmet[std::countr_zero(uint32_t{NeedMaster})];
  if (!answer.value("master", false))
    whyNotMaster = board.card + " belongs to a session: run this on a free console";
  else if (connector.empty())
    whyNotMaster = board.card + " has no connected display";
  else
    board.met |= NeedMaster;
}

void meet(Board& board, Need need, bool met, std::string why) {
  if (met)
    board.met |= need;
  else
    board.unmet[std::countr_zero(uint32_t{need})] = std::move(why);
}

void meetNode(Board& board, Need need, const char* node) {
  const UniqueFd fd(open(node, O_RDWR | O_CLOEXEC));
  meet(board, need, fd.isValid(), fd ? "" : systemError("open", node).error().text());
}

void chooseHeaps(Board& board, const BoardWishes& wishes) {
  std::string denied;
  for (const Heap& heap : board.heaps) {
    const bool wished = std::ranges::contains(wishes.heaps, heap.name);
    if (wishes.heaps.empty() ? heap.heapClass != HeapClass::Protected : !wished) continue;
    if (heap.openErrno == 0)
      board.nominated.push_back(heap);
    else
      denied = systemError("open", heap.node.string(), heap.openErrno).error().text();
  }
  meet(board, NeedHeap, !board.nominated.empty(),
       denied.empty() ? "this board has no protected heap (in /dev/dma_heap: " +
                            [&] {
                              std::string names;
                              for (const Heap& heap : board.heaps)
                                names += (names.empty() ? "" : ", ") + heap.name;
                              return names.empty() ? std::string("nothing") : names;
                            }() +
                            ")"
                      : denied);
  const auto system = std::ranges::find(board.heaps, "system", &Heap::name);
  meet(board, NeedOrdinary, system != board.heaps.end() && system->openErrno == 0, "there is no `system` heap to open");
}

} // namespace

Board inspectBoard(const BoardWishes& wishes) {
  Board board;
  board.machine = readMachineFacts();
  board.hostname = readLine("/proc/sys/kernel/hostname");
  board.operatingSystem = operatingSystemName();
  board.drm = drmDevices();
  board.heaps = listHeaps(HeapTable());
  chooseHeaps(board, wishes);
  if ((wishes.needs & (NeedTee | NeedFill | NeedSdpBasic | NeedDecrypt | NeedDump)) != 0) {
    lookAtTee(board, wishes);
    const TeeFacts& tee = board.tee;
    meet(board, NeedTee, !tee.node.empty(), tee.error);
    meet(board, NeedSdpBasic, tee.sdpBasic, tee.node.empty() ? tee.error : tee.sdpBasicError);
    meet(board, NeedDecrypt, tee.frameDecrypt, tee.node.empty() ? tee.error : tee.frameDecryptError);
    meet(board, NeedFill, tee.sdpBasic || tee.frameDecrypt, tee.node.empty() ? tee.error : tee.sdpBasicError);
    if ((wishes.needs & NeedDump) != 0 && tee.sdpBasic) lookForDump(board, wishes);
    meet(board, NeedDump, tee.dumps, tee.sdpBasic ? tee.dumpError : "no application that dumps");
  }
  if ((wishes.needs & (NeedCard | NeedMaster | NeedEye)) != 0) lookAtDisplay(board, wishes);
  if ((wishes.needs & NeedEye) != 0) {
    const Eye eye = findEye(board.card);
    meet(board, NeedEye, !eye.name.empty(), eye.whyNot);
  }
  if ((wishes.needs & NeedRender) != 0) {
    lookAtGpus(board, wishes);
    meet(board, NeedRender, std::ranges::any_of(board.gpus, &VulkanFacts::importsDmabufs),
         board.gpus.empty() ? "there is no Vulkan device" : "no Vulkan device imports dma-bufs");
  }
  meetNode(board, NeedUdmabuf, "/dev/udmabuf");
  if ((wishes.needs & NeedWayland) != 0) {
    const json answer = askWatched(
        []() -> json {
          const auto connection = WaylandConnection::open();
          if (!connection) return {{"error", connection.error().text()}};
          return {{"name", (*connection)->serverName()}};
        },
        wishes, 5 * second, "the compositor hangs");
    board.compositor = answer.value("name", "");
    meet(board, NeedWayland, answer.contains("name"), answer.value("error", ""));
  }
  return board;
}

void to_json(json& object, const Board& board) {
  json heaps = json::array();
  for (const Heap& heap : board.heaps)
    heaps.push_back({{"name", heap.name},
                     {"class", heapClassName(heap.heapClass)},
                     {"open_errno", heap.openErrno},
                     {"tested", std::ranges::contains(board.nominated, heap.name, &Heap::name)}});
  json gpus = json::array();
  for (const VulkanFacts& gpu : board.gpus)
    gpus.push_back({{"name", gpu.name},
                    {"driver", gpu.driver},
                    {"render_node", gpu.renderNode},
                    {"software", gpu.software},
                    {"imports_dmabufs", gpu.importsDmabufs},
                    {"protected_memory", gpu.protectedMemory}});
  json drm = json::array();
  for (const DrmFacts& device : board.drm)
    drm.push_back({{"node", device.node}, {"driver", device.driver}, {"connectors", device.connectors}});
  const TeeFacts& tee = board.tee;
  object = {{"machine", machineJson(board.machine)},
            {"hostname", board.hostname},
            {"operating_system", board.operatingSystem},
            {"drm", drm},
            {"heaps", heaps},
            {"tee",
             {{"node", tee.node},
              {"error", tee.error},
              {"implementation", tee.implementation},
              {"sdp_basic", tee.sdpBasic},
              {"sdp_basic_error", tee.sdpBasicError},
              {"frame_decrypt", tee.frameDecrypt},
              {"frame_decrypt_error", tee.frameDecryptError},
              {"dumps", tee.dumps}}},
            {"gpus", gpus},
            {"card", board.card},
            {"display", board.displayName},
            {"compositor", board.compositor}};
}

} // namespace vitrine::display_test
