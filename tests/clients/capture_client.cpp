#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>

#include "tests/board/common/exit_status.h"
#include "tests/board/wayland/screen_capture.h"

// capture-client: captures the first output to a dma-buf (wlr-screencopy), as recorders do: the compositor draws into
// memory of the client, without shared memory in between.

namespace vitrine {
namespace {

/** The content of a capture as binary PPM. */
Result<> write(const Dmabuf& buffer, const std::string& path) {
  const auto pixels = pixelsOf(buffer);
  if (!pixels) return std::unexpected(pixels.error());
  std::ofstream file(path, std::ios::binary);
  file << "P6\n" << buffer.size().width << ' ' << buffer.size().height << "\n255\n";
  for (const uint32_t pixel : *pixels) {
    const char rgb[] = {static_cast<char>(pixel >> 16), static_cast<char>(pixel >> 8), static_cast<char>(pixel)};
    file.write(rgb, sizeof rgb);
  }
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
