#include <sys/mman.h>

#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>

#include "protected-path/heap/heap_allocator.h"
#include "tests/clients/exit_status.h"
#include "tests/clients/wayland_connection.h"

// capture-client: takes a screenshot of the first output into a dma-buf (wlr-screencopy), so that what is tested is the way that recorders
// take: the compositor draws into memory of the client's, and no shm is in between.

namespace vitrine {
namespace {

constexpr Nanoseconds answerTimeout = 20'000'000'000;

struct Capture {
  Size size;
  uint32_t fourcc = 0;
  bool told = false; ///< what the buffer must be
  bool ready = false;
  bool failed = false;
};

const zwlr_screencopy_frame_v1_listener frameListener = {
    .buffer = [](void*, zwlr_screencopy_frame_v1*, uint32_t, uint32_t, uint32_t, uint32_t) {}, // for shm
    .flags = [](void*, zwlr_screencopy_frame_v1*, uint32_t) {},
    .ready = [](void* data, zwlr_screencopy_frame_v1*, uint32_t, uint32_t,
                uint32_t) { static_cast<Capture*>(data)->ready = true; },
    .failed = [](void* data, zwlr_screencopy_frame_v1*) { static_cast<Capture*>(data)->failed = true; },
    .damage = [](void*, zwlr_screencopy_frame_v1*, uint32_t, uint32_t, uint32_t, uint32_t) {},
    .linux_dmabuf =
        [](void* data, zwlr_screencopy_frame_v1*, uint32_t fourcc, uint32_t width, uint32_t height) {
          auto& capture = *static_cast<Capture*>(data);
          capture.fourcc = fourcc;
          capture.size = {width, height};
        },
    .buffer_done = [](void* data, zwlr_screencopy_frame_v1*) { static_cast<Capture*>(data)->told = true; },
};

Result<> waitFor(WaylandConnection& connection, const bool& done, const Capture& capture, const char* what) {
  const Nanoseconds until = now() + answerTimeout;
  while (!done) {
    if (capture.failed) return invalid("capture", "the output", "the compositor says `failed`");
    if (now() > until) return invalid("capture", "the output", std::string("no answer: ") + what);
    if (auto dispatched = connection.dispatch(until - now()); !dispatched) return dispatched;
  }
  return {};
}

/** Binary PPM of what is in an XRGB8888 or ARGB8888 dma-buf. */
Result<> write(const Dmabuf& buffer, const std::string& path) {
  void* mapped = mmap(nullptr, buffer.sizeBytes(), PROT_READ, MAP_SHARED, buffer.plane(0).fd.get(), 0);
  if (mapped == MAP_FAILED) return systemError("mmap", buffer.describe());
  std::ofstream file(path, std::ios::binary);
  file << "P6\n" << buffer.size().width << ' ' << buffer.size().height << "\n255\n";
  for (uint32_t y = 0; y < buffer.size().height; ++y) {
    const auto* row = static_cast<const char*>(mapped) + size_t{y} * buffer.plane(0).strideBytes;
    for (uint32_t x = 0; x < buffer.size().width; ++x) {
      const char rgb[] = {row[x * 4 + 2], row[x * 4 + 1], row[x * 4]};
      file.write(rgb, sizeof rgb);
    }
  }
  munmap(mapped, buffer.sizeBytes());
  file.close();
  return file ? Result<>() : systemError("write", path);
}

Result<> capture(const std::string& path) {
  auto opened = WaylandConnection::open();
  if (!opened) return std::unexpected(opened.error());
  WaylandConnection& connection = **opened;
  WaylandGlobals& globals = connection.globals();
  if (!globals.screencopy || !globals.output) return missing("bind", "zwlr_screencopy_manager_v1", "or no wl_output");
  Capture capture;
  const WaylandPtr<zwlr_screencopy_frame_v1> frame(
      zwlr_screencopy_manager_v1_capture_output(globals.screencopy.get(), 0, globals.output.get()));
  zwlr_screencopy_frame_v1_add_listener(frame.get(), &frameListener, &capture);
  if (auto told = waitFor(connection, capture.told, capture, "which buffer it wants"); !told) return told;
  const HeapTable table;
  // Four rows: software renderers draw whole blocks.
  auto memory =
      allocateBuffer({.size = capture.size, .fourcc = capture.fourcc, .protectedContent = false, .rowMultiple = 4},
                     listHeaps(table), table);
  if (!memory) return std::unexpected(memory.error());
  auto buffer = createWaylandBuffer(connection, memory->buffer, false);
  if (!buffer) return std::unexpected(buffer.error());
  zwlr_screencopy_frame_v1_copy(frame.get(), buffer->get());
  if (auto ready = waitFor(connection, capture.ready, capture, "the picture"); !ready) return ready;
  return write(memory->buffer, path);
}

int main(int argc, char** argv) {
  std::string path;
  CLI::App app("Takes a screenshot of the first output into a dma-buf and writes it as PPM.");
  app.set_version_flag("--version", VITRINE_VERSION);
  app.add_option("FILE", path, "Where to")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitOk : ExitMisused;
  }
  const auto done = capture(path);
  if (done) return ExitOk;
  std::cerr << "capture-client: " << done.error().text() << '\n';
  return ExitFoundWanting;
}

} // namespace
} // namespace vitrine

int main(int argc, char** argv) {
  return vitrine::main(argc, argv);
}
