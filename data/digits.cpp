#include "data/digits.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "core/fail.hpp"
#include "data/hash.hpp"

// Everything below is integer arithmetic: floating point may round differently where a compiler fuses a multiply
// and an add. Lengths are fixed point, 256 to a pixel, unless said otherwise.
namespace feral::data {

namespace {

constexpr int rows = static_cast<int>(digit_rows);
constexpr int columns = static_cast<int>(digit_columns);
constexpr int pixels = rows * columns;
constexpr int one_pixel = 256;

// ---- Random numbers: the n-th draw of a stream is a hash of (key, n), so no image depends on another.

constexpr std::uint64_t golden_ratio = 0x9e3779b97f4a7c15;

class Draws {
 public:
  // `purpose` keeps streams apart that share a seed and an index.
  Draws(std::uint64_t seed, std::uint64_t index, std::uint64_t purpose)
      : state_(mix(mix(mix(seed + golden_ratio) + index) + purpose)) {}

  std::uint64_t next() { return mix(state_ += golden_ratio); }

  // Uniform in [low, high].
  int between(int low, int high) {
    const int choices = high - low + 1;
    return low + static_cast<int>((next() >> 32) * static_cast<std::uint64_t>(choices) >> 32);
  }

  // Bell-shaped in [-reach, reach], standard deviation about reach / 3.
  int around_zero(int reach) {
    return (between(-reach, reach) + between(-reach, reach) + between(-reach, reach)) / 3;
  }

 private:
  std::uint64_t state_;
};

enum Purpose : std::uint64_t { label_order, digit_shape, pixel_noise };

// ---- The font: each digit has a few ways of being written, each a few strokes of control points.

struct Point {
  int x = 0;
  int y = 0;
  friend bool operator==(Point, Point) = default;
};

// The pen follows a smooth curve near its points; a point given twice in a row is a corner.
using Stroke = std::span<const Point>;
using Glyph = std::span<const Stroke>;

// The font's box: x from 0 to 20, y from 0 (top) to 28. Control points may lie a little outside of it, since the
// curve stays within them.
constexpr int font_width = 20;
constexpr int font_height = 28;

constexpr std::size_t max_stroke_points = 16;

constexpr Point zero_ring[] = {{10, 0},  {3, 1},   {0, 9},  {0, 19}, {3, 27}, {10, 28},
                               {17, 27}, {20, 19}, {20, 9}, {17, 1}, {10, 0}};
constexpr Point zero_narrow[] = {{11, 0},  {5, 2},   {3, 10}, {3, 20}, {6, 28}, {11, 28},
                                 {16, 25}, {17, 18}, {17, 8}, {14, 0}, {9, 1}};
constexpr Point one_stem[] = {{10, 0}, {10, 28}};
constexpr Point one_flag[] = {{4, 7}, {8, 4}, {11, 0}, {11, 0}, {11, 28}};
constexpr Point one_foot[] = {{5, 28}, {17, 28}};
constexpr Point two_plain[] = {{1, 7}, {2, 0}, {11, -1}, {19, 1}, {19, 11}, {9, 20}, {1, 28}, {1, 28}, {20, 28}};
constexpr Point two_loop[] = {{1, 5},  {6, -1}, {16, -1}, {19, 7},  {14, 17}, {5, 27},
                              {1, 27}, {2, 22}, {8, 23},  {14, 28}, {20, 26}};
constexpr Point three_round[] = {{1, 3},  {7, -1},  {18, -1}, {19, 9},  {14, 13}, {7, 13},
                                 {7, 13}, {16, 13}, {21, 18}, {19, 28}, {7, 29},  {0, 24}};
constexpr Point three_flat[] = {{2, 0},   {18, 0},  {18, 0},  {8, 11}, {8, 11},
                                {17, 11}, {21, 18}, {18, 28}, {7, 29}, {0, 25}};
constexpr Point four_arm[] = {{13, 0}, {0, 19}, {0, 19}, {20, 19}};
constexpr Point four_stem[] = {{14, 0}, {14, 28}};
constexpr Point four_open_arm[] = {{4, 1}, {2, 14}, {2, 14}, {18, 14}};
constexpr Point four_open_stem[] = {{17, 0}, {15, 28}};
constexpr Point five_body[] = {{4, 0}, {3, 12}, {3, 12}, {9, 10}, {17, 10}, {21, 17}, {18, 28}, {7, 29}, {0, 25}};
constexpr Point five_roof[] = {{4, 0}, {18, 0}};
constexpr Point five_one_line[] = {{18, 0}, {5, 0},   {5, 0},   {3, 12},  {3, 12},
                                   {10, 9}, {19, 12}, {20, 21}, {14, 29}, {1, 27}};
constexpr Point six_curl[] = {{16, 0},  {8, 3},   {1, 12},  {0, 22}, {5, 29},
                              {15, 29}, {20, 22}, {16, 14}, {7, 14}, {1, 20}};
constexpr Point six_straight[] = {{12, 0},  {4, 12},  {0, 21}, {4, 29}, {14, 29},
                                  {18, 23}, {15, 15}, {6, 16}, {2, 22}};
constexpr Point seven_plain[] = {{1, 0}, {19, 0}, {19, 0}, {12, 13}, {8, 28}};
constexpr Point seven_hook[] = {{1, 4}, {1, 0}, {1, 0}, {19, 0}, {19, 0}, {7, 28}};
constexpr Point seven_bar[] = {{6, 14}, {17, 14}};
constexpr Point eight_line[] = {{17, 4},  {11, -1}, {2, 0},  {2, 9},   {10, 13}, {19, 19}, {18, 28},
                                {10, 29}, {1, 28},  {1, 19}, {10, 13}, {18, 8},  {17, 4}};
constexpr Point eight_upper[] = {{10, 0}, {3, 1}, {2, 7}, {4, 13}, {10, 13}, {16, 13}, {18, 7}, {17, 1}, {10, 0}};
constexpr Point eight_lower[] = {{10, 13}, {2, 14},  {0, 21},  {2, 28}, {10, 28},
                                 {18, 28}, {20, 21}, {18, 14}, {10, 13}};
constexpr Point nine_straight[] = {{18, 6},  {14, -1}, {4, -1}, {0, 7},  {3, 15},
                                   {13, 15}, {18, 6},  {18, 6}, {16, 28}};
constexpr Point nine_curl[] = {{18, 8},  {15, 0}, {6, -2},  {1, 6},   {4, 14},
                               {14, 14}, {19, 5}, {19, 18}, {15, 28}, {3, 27}};

constexpr Stroke zero_a[] = {zero_ring};
constexpr Stroke zero_b[] = {zero_narrow};
constexpr Stroke one_a[] = {one_stem};
constexpr Stroke one_b[] = {one_flag};
constexpr Stroke one_c[] = {one_flag, one_foot};
constexpr Stroke two_a[] = {two_plain};
constexpr Stroke two_b[] = {two_loop};
constexpr Stroke three_a[] = {three_round};
constexpr Stroke three_b[] = {three_flat};
constexpr Stroke four_a[] = {four_arm, four_stem};
constexpr Stroke four_b[] = {four_open_arm, four_open_stem};
constexpr Stroke five_a[] = {five_body, five_roof};
constexpr Stroke five_b[] = {five_one_line};
constexpr Stroke six_a[] = {six_curl};
constexpr Stroke six_b[] = {six_straight};
constexpr Stroke seven_a[] = {seven_plain};
constexpr Stroke seven_b[] = {seven_plain, seven_bar};
constexpr Stroke seven_c[] = {seven_hook};
constexpr Stroke eight_a[] = {eight_line};
constexpr Stroke eight_b[] = {eight_upper, eight_lower};
constexpr Stroke nine_a[] = {nine_straight};
constexpr Stroke nine_b[] = {nine_curl};

constexpr Glyph zeros[] = {zero_a, zero_b};
constexpr Glyph ones[] = {one_a, one_b, one_c};
constexpr Glyph twos[] = {two_a, two_b};
constexpr Glyph threes[] = {three_a, three_b};
constexpr Glyph fours[] = {four_a, four_b};
constexpr Glyph fives[] = {five_a, five_b};
constexpr Glyph sixes[] = {six_a, six_b};
constexpr Glyph sevens[] = {seven_a, seven_b, seven_c};
constexpr Glyph eights[] = {eight_a, eight_b};
constexpr Glyph nines[] = {nine_a, nine_b};

constexpr std::array<std::span<const Glyph>, label_classes> font = {zeros, ones,  twos,   threes, fours,
                                                                    fives, sixes, sevens, eights, nines};

constexpr bool every_stroke_fits() {
  for (const auto& glyphs : font) {
    for (const Glyph& glyph : glyphs) {
      for (const Stroke& stroke : glyph) {
        if (stroke.size() < 2 || stroke.size() > max_stroke_points) return false;
      }
    }
  }
  return true;
}
static_assert(every_stroke_fits());

// ---- From the font to the image: every image has its own affine map.

// x' = a * x + b * y, y' = c * x + d * y, in 1/2^14 of the plain scale, then a shift.
struct Placement {
  static constexpr int unit_bits = 14;
  static constexpr std::int64_t unit = std::int64_t{1} << unit_bits;

  std::int64_t a = 0, b = 0, c = 0, d = 0;
  Point shift;

  // `point` from the middle of the font's box; the result from the image's top left corner.
  Point operator()(Point point) const {
    return {static_cast<int>((a * point.x + b * point.y) / unit) + columns * one_pixel / 2 + shift.x,
            static_cast<int>((c * point.x + d * point.y) / unit) + rows * one_pixel / 2 + shift.y};
  }
};

Placement draw_placement(Draws& draws) {
  constexpr std::int64_t unit = Placement::unit;
  // Percent of the font's own size, at which a digit is 20 pixels tall.
  const int height = 94 + draws.between(-18, 18);
  const int width = 92 + draws.between(-24, 24);
  // tan of the half angle is t/256; cosine and sine follow from it in exact fractions. Up to 21 degrees.
  const std::int64_t t = draws.around_zero(48);
  const std::int64_t cosine = unit * (65536 - t * t) / (65536 + t * t);
  const std::int64_t sine = unit * 512 * t / (65536 + t * t);
  const std::int64_t slant = draws.around_zero(90);  // 1/256: how far x moves for each y, most digits lean right
  Placement placement;
  // Scale, then slant, then turn.
  const std::int64_t lean = -(slant + 24) * unit / 256;
  placement.a = cosine * width / 100;
  placement.b = (cosine * lean / unit - sine) * height / 100;
  placement.c = sine * width / 100;
  placement.d = (sine * lean / unit + cosine) * height / 100;
  placement.shift.x = draws.between(-5 * one_pixel / 2, 5 * one_pixel / 2);
  placement.shift.y = draws.between(-2 * one_pixel, 2 * one_pixel);
  return placement;
}

// A font unit in 1/256 pixel: 28 of them make 20 pixels.
constexpr int font_unit = 20 * one_pixel / font_height;

// ---- Drawing

// Cutting the corners of a polyline twice leaves a smooth curve through its ends.
constexpr int smoothing_rounds = 2;
constexpr std::size_t max_curve_points = max_stroke_points << smoothing_rounds;

struct Curve {
  std::array<Point, max_curve_points> points;
  std::size_t size = 0;

  void append(Point point) { points[size++] = point; }
};

Curve cut_corners(const Curve& from) {
  Curve to;
  to.append(from.points[0]);
  for (std::size_t i = 0; i + 1 < from.size; ++i) {
    const Point p = from.points[i];
    const Point q = from.points[i + 1];
    if (i != 0) to.append({(3 * p.x + q.x) / 4, (3 * p.y + q.y) / 4});
    if (i + 2 != from.size) to.append({(p.x + 3 * q.x) / 4, (p.y + 3 * q.y) / 4});
  }
  to.append(from.points[from.size - 1]);
  return to;
}

// The control points of `stroke`, each moved by up to `wobble`, placed in the image.
Curve place(Stroke stroke, const Placement& placement, int wobble, Draws& draws) {
  Curve curve;
  Point moved;
  for (std::size_t i = 0; i < stroke.size(); ++i) {
    if (i != 0 && stroke[i] == stroke[i - 1]) {
      curve.append(curve.points[i - 1]);  // a corner stays one
      continue;
    }
    moved.x = (2 * stroke[i].x - font_width) * font_unit / 2 + draws.around_zero(wobble);
    moved.y = (2 * stroke[i].y - font_height) * font_unit / 2 + draws.around_zero(wobble);
    curve.append(placement(moved));
  }
  if (stroke.front() == stroke.back()) curve.points[curve.size - 1] = curve.points[0];  // a ring stays closed
  return curve;
}

// For every pixel the square of its middle's distance to the nearest line, in (1/256 pixel)^2.
using DistanceMap = std::array<std::int64_t, pixels>;

// Lowers the squared distances of the pixels that are within `reach` of the line from `p` to `q`.
void draw_line(DistanceMap& map, Point p, Point q, int reach) {
  const auto first_pixel = [&](int a, int b) { return std::max(0, (std::min(a, b) - reach) / one_pixel); };
  const auto last_pixel = [&](int a, int b, int size) {
    return std::min(size - 1, (std::max(a, b) + reach) / one_pixel);
  };
  const std::int64_t dx = q.x - p.x;
  const std::int64_t dy = q.y - p.y;
  const std::int64_t length2 = dx * dx + dy * dy;
  const int last_row = last_pixel(p.y, q.y, rows);
  const int last_column = last_pixel(p.x, q.x, columns);
  for (int row = first_pixel(p.y, q.y); row <= last_row; ++row) {
    for (int column = first_pixel(p.x, q.x); column <= last_column; ++column) {
      std::int64_t x = column * one_pixel + one_pixel / 2 - p.x;
      std::int64_t y = row * one_pixel + one_pixel / 2 - p.y;
      const std::int64_t along = x * dx + y * dy;
      std::int64_t distance2 = 0;
      if (along <= 0) {
        distance2 = x * x + y * y;
      } else if (along >= length2) {
        x -= dx;
        y -= dy;
        distance2 = x * x + y * y;
      } else {
        const std::int64_t across = x * dy - y * dx;  // below 2^28, so its square fits
        distance2 = across * across / length2;
      }
      const int pixel = row * columns + column;
      std::int64_t& nearest = map[static_cast<std::size_t>(pixel)];
      nearest = std::min(nearest, distance2);
    }
  }
}

void draw_digit(int digit, Draws& draws, std::span<std::uint8_t, pixels> image) {
  const auto& glyphs = font[static_cast<std::size_t>(digit)];
  const Glyph& glyph = glyphs[static_cast<std::size_t>(draws.between(0, static_cast<int>(glyphs.size()) - 1))];
  const Placement placement = draw_placement(draws);
  const int wobble = draws.between(one_pixel, one_pixel * 3);
  const int pen_radius = draws.between(one_pixel * 5 / 8, one_pixel * 3 / 2);
  const int edge = draws.between(one_pixel * 3 / 8, one_pixel * 7 / 8);  // half the width of the soft rim
  const int ink = draws.between(150, 255);

  const std::int64_t inner = std::max(0, pen_radius - edge);
  const std::int64_t outer = pen_radius + edge;
  DistanceMap map;
  map.fill(outer * outer);
  for (const Stroke& stroke : glyph) {
    Curve curve = place(stroke, placement, wobble, draws);
    for (int round = 0; round < smoothing_rounds; ++round) curve = cut_corners(curve);
    for (std::size_t i = 0; i + 1 < curve.size; ++i) {
      draw_line(map, curve.points[i], curve.points[i + 1], static_cast<int>(outer));
    }
  }
  // Full ink up to `inner`, none from `outer` on, between them by the square of the distance, which needs no root.
  const std::int64_t rim = outer * outer - inner * inner;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const std::int64_t left = std::min(outer * outer - map[i], rim);
    image[i] = left <= 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(left * ink / rim);
  }
}

// Adds noise to every pixel, and specks of any grey to a few.
void add_noise(Draws& draws, std::span<std::uint8_t, pixels> image) {
  const int strength = draws.between(0, 40);
  const int specks = draws.between(0, 12);
  // 16 random bits a pixel, four pixels a draw: the sum of their two bytes is the noise's triangle.
  for (std::size_t i = 0; i < image.size(); i += 4) {
    std::uint64_t bits = draws.next();
    for (std::size_t j = i; j < i + 4; ++j, bits >>= 16) {
      const int triangle = static_cast<int>(bits & 255) + static_cast<int>(bits >> 8 & 255) - 255;  // +-255
      image[j] = static_cast<std::uint8_t>(std::clamp(image[j] + triangle * strength / 128, 0, 255));
    }
  }
  for (int speck = 0; speck < specks; ++speck) {
    const int pixel = draws.between(0, pixels - 1);
    image[static_cast<std::size_t>(pixel)] = static_cast<std::uint8_t>(draws.between(0, 255));
  }
}
static_assert(pixels % 4 == 0);

// The digit of image `index`: each block of ten images is a shuffle of the ten digits.
int label_of(std::uint64_t index, std::uint64_t seed) {
  std::array<int, label_classes> order{};
  for (int i = 0; i < label_classes; ++i) order[static_cast<std::size_t>(i)] = i;
  Draws draws(seed, index / label_classes, label_order);
  for (int i = label_classes - 1; i > 0; --i) {
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(draws.between(0, i))]);
  }
  return order[index % label_classes];
}

}  // namespace

LabelledImages generate_digits(std::int64_t count, std::uint64_t seed) {
  if (count < 1 || count > max_generated_digits) {
    fail("generate_digits: count is {}, expected 1 to {}", count, max_generated_digits);
  }
  const auto images = static_cast<std::size_t>(count);
  LabelledImages result{.count = count,
                        .rows = digit_rows,
                        .columns = digit_columns,
                        .images = {},
                        .labels = std::vector<std::uint8_t>(images)};
  std::vector<std::uint8_t> drawn(images * pixels);
  for (std::size_t i = 0; i < images; ++i) {
    const std::span<std::uint8_t, pixels> image(drawn.data() + i * pixels, pixels);
    const int label = label_of(i, seed);
    result.labels[i] = static_cast<std::uint8_t>(label);
    Draws shape(seed, i, digit_shape);
    draw_digit(label, shape, image);
    Draws noise(seed, i, pixel_noise);
    add_noise(noise, image);
  }
  result.images = std::move(drawn);
  return result;
}

}  // namespace feral::data
