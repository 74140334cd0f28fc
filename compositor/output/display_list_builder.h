#pragma once

#include <span>
#include <vector>

#include "compositor/output/cursor_scanout.h"
#include "compositor/protocols/color_representation.h"
#include "compositor/protocols/surface_protection.h"
#include "compositor/render/texture_adapter.h"
#include "protected-path/planes/planner.h"

namespace vitrine {

/** Where a layer comes from; same index as the layer. Everything is borrowed until the next frame. */
struct LayerSource {
  wlr_scene_buffer* sceneBuffer = nullptr; ///< null for a solid colour
  wlr_surface* surface = nullptr;          ///< null for what is not a client's
  const Texture* texture = nullptr;        ///< to sample; null where the GPU may not have it, and for solid colours
  const TextureAdapter* adapter = nullptr; ///< a client's; says what its last update changed
  DmabufBuffer* dmabuf = nullptr;          ///< null for shm and solid colours
  Color color;                             ///< solid colours only
  uint64_t contentSerial = 0;              ///< changes whenever the content does
  bool isCursor = false;                   ///< belongs to the pointer: its image, or what it drags
  Evidence evidence = Evidence::None;
  Hdcp wantedHdcp = Hdcp::Off;    ///< what is to be tried for on the output's link
  bool hiddenFromReaders = false; ///< its client demands protection: no reader gets it, even from ordinary memory
};

/** How the configuration wants planes used (R4). */
enum class PlaneUse {
  Automatic,     ///< the cheapest that the hardware accepts
  CompositeOnly, ///< the GPU draws everything
  PlaneOnly,     ///< protected content is shown on planes or not at all; the rest as with Automatic
};

/** What part of the layout a picture shows, and how. */
struct Viewport {
  int x = 0; ///< the picture's upper left corner, in layout coordinates
  int y = 0;
  double scale = 1;
  Transform transform = Transform::Normal; ///< how the picture is turned against the layout
  Size size;                               ///< of the turned picture, in pixels
};

/**
 * Takes the display list of one output or window from the scene, for each picture. Keeps its memory between pictures.
 *
 * A layer of which opaque layers above it hide every pixel is left out.
 */
class DisplayListBuilder {
public:
  /** `display`: whose planes layers may be put on. Borrows all three, which must outlive it. */
  DisplayListBuilder(KmsDevice& display, Renderer& renderer, const ColorRepresentationManager& colors);

  struct Context {
    wlr_scene_tree* root = nullptr; ///< what is shown, even if it is disabled itself
    Viewport view;
    const wlr_scene_node* cursor = nullptr; ///< the tree of what belongs to the pointer
    wlr_scene_tree* above = nullptr;        ///< shown above root; a child of the scene. Null: nothing is
    OutputFacts facts;
    PlaneUse planeUse = PlaneUse::Automatic;
    Refusal protectedRefusal = Refusal::None; ///< why protected content cannot be composed here just now
    const Planner* planner = nullptr;         ///< the output's; null with PlaneUse::CompositeOnly
    Nanoseconds time = 0;
    wlr_content_type_manager_v1* contentTypes = nullptr; ///< null: clients cannot say what they show
  };
  void build(const Context& context);

  [[nodiscard]] std::span<const Layer> layers() const { return layers_; }
  [[nodiscard]] std::span<const LayerSource> sources() const { return sources_; }

private:
  void walk(const Context& context, wlr_scene_node& node, int x, int y);
  void walkChildren(const Context& context, wlr_scene_tree& tree, int x, int y);
  void addBuffer(const Context& context, wlr_scene_buffer& buffer, int x, int y);
  bool findContent(wlr_scene_buffer& buffer, Layer& layer, LayerSource& source);
  void addSolid(const Context& context, wlr_scene_rect& rect, int x, int y);
  void useCursorCopy(const wlr_scene_buffer& buffer, Layer& layer, LayerSource& source);
  [[nodiscard]] static Rect toPicture(const Viewport& view, int x, int y, int width, int height);
  void judgeLayer(const Context& context, Layer& layer, LayerSource& source);
  void dropCovered(const Rect& picture);

  KmsDevice& display_;
  Renderer& renderer_;
  const ColorRepresentationManager& colors_;
  CursorScanout cursors_;
  std::vector<Layer> layers_;
  std::vector<LayerSource> sources_;
  bool inCursor_ = false; ///< walk() is below the pointer's tree
};

} // namespace vitrine
