#include <sys/mman.h>

#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>

#include "tests/board/common/exit_status.h"
#include "tests/clients/screen_capture.h"

// capture-client: captures the first output to a dma-buf (wlr-screencopy), as recorders do: the compositor draws into
// memory of the client, without shared memory in between.

namespace vitrine {
namespace {

/** The content of an XRGB8888 or ARGB8888 dma-buf as binary PPM. */
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
  auto connection = WaylandConnection::open();
  if (!connection) return std::unexpected(connection.error());
  auto picture = captureIntoDmabuf(**connection);
  if (!picture) return std::unexpected(picture.error());
  return write(*picture, path);
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
