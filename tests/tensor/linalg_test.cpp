// Solvers and decompositions: what they give, put together again, is the matrix; determinants against expansion by
// minors.
#include "autograd/ops/linalg.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::all_layouts;
using testing_support::contains;
using testing_support::error_of;
using testing_support::Layout;
using testing_support::Numbers;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// Matrix number `batch` of x as doubles, read through its strides.
std::vector<std::vector<double>> matrix_of(const Tensor& x, std::int64_t batch = 0) {
  const Tensor flat = x.to(DType::float64).contiguous();
  const std::int64_t rows = x.size(-2);
  const std::int64_t columns = x.size(-1);
  std::vector<std::vector<double>> result;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double* row = flat.data<double>() + (batch * rows + i) * columns;
    result.emplace_back(row, row + columns);
  }
  return result;
}

double expansion_by_minors(const std::vector<std::vector<double>>& a) {
  if (a.empty()) return 1;
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    std::vector<std::vector<double>> minor;
    for (std::size_t i = 1; i < a.size(); ++i) {
      minor.push_back(a[i]);
      minor.back().erase(minor.back().begin() + static_cast<std::ptrdiff_t>(j));
    }
    sum += (j % 2 == 0 ? 1 : -1) * a[0][j] * expansion_by_minors(minor);
  }
  return sum;
}

template <class T>
class Linalg : public testing::Test {
 protected:
  static constexpr DType dtype = dtype_of<T>;
  static constexpr double tolerance = std::is_same_v<T, float> ? 2e-4 : 1e-11;
  Numbers numbers{91};

  Tensor make(const Shape& shape) { return numbers.tensor<T>(shape); }
  // Far from singular.
  Tensor regular(const Shape& shape) { return make(shape) + unit(shape[shape.dims() - 1]) * 2; }
  Tensor positive_definite(const Shape& shape) {
    const Tensor x = make(shape);
    return x.matmul(x.transpose(-2, -1)) + unit(shape[shape.dims() - 1]);
  }
  static Tensor unit(std::int64_t n) {
    const Tensor result = Tensor::zeros({n, n}, dtype);
    for (std::int64_t i = 0; i < n; ++i) result.data<T>()[i * (n + 1)] = 1;
    return result;
  }
  static void expect_close(const Tensor& a, const Tensor& b) {
    ASSERT_EQ(a.shape(), b.shape());
    const std::vector<double> x = a.to_vector<double>();
    const std::vector<double> y = b.to_vector<double>();
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], tolerance) << i;
  }
  static void expect_unit(const Tensor& x) {  // each matrix of x
    for (std::int64_t i = 0; i < x.numel() / std::max<std::int64_t>(x.size(-1) * x.size(-1), 1); ++i) {
      const auto matrix = matrix_of(x, i);
      for (std::size_t j = 0; j < matrix.size(); ++j) {
        for (std::size_t k = 0; k < matrix.size(); ++k) ASSERT_NEAR(matrix[j][k], j == k, tolerance);
      }
    }
  }
  static Tensor turned(const Tensor& x) { return x.transpose(-2, -1); }
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Linalg, FloatingTypes);

const std::vector<Shape> square_shapes = {{1, 1}, {2, 2}, {7, 7}, {40, 40}, {3, 4, 4}, {2, 3, 5, 5}};
const std::vector<Shape> all_shapes = {{1, 1}, {4, 4},   {7, 3},    {3, 7},      {1, 5},
                                       {5, 1}, {40, 33}, {3, 4, 6}, {2, 2, 5, 3}};

TYPED_TEST(Linalg, SolveSolves) {
  for (const Shape& shape : square_shapes) {
    const Tensor a = this->regular(shape);
    for (const std::int64_t columns : {1, 3}) {
      Shape right = shape;
      right[right.dims() - 1] = columns;
      const Tensor b = this->make(right);
      this->expect_close(a.matmul(linalg::solve(a, b)), b);
    }
  }
}

TYPED_TEST(Linalg, SolveTakesVectorsAndBroadcasts) {
  const Tensor a = this->regular({4, 4});
  const Tensor batch = this->regular({3, 4, 4});
  const Tensor vector = this->make({4});
  const Tensor vectors = this->make({3, 4});
  this->expect_close(a.matmul(linalg::solve(a, vector)), vector);
  this->expect_close(batch.matmul(linalg::solve(batch, vectors).reshape({3, 4, 1})).reshape({3, 4}), vectors);
  const Tensor b = this->make({5, 1, 4, 2});
  const Tensor x = linalg::solve(batch, b);
  EXPECT_EQ(x.shape(), (Shape{5, 3, 4, 2}));
  this->expect_close(batch.matmul(x), b.expand({5, 3, 4, 2}));
  const Tensor shared = linalg::solve(a, this->make({3, 4, 2}));
  EXPECT_EQ(shared.shape(), (Shape{3, 4, 2}));
}

TYPED_TEST(Linalg, ReadsEveryLayout) {
  for (const Layout layout :
       {Layout::contiguous, Layout::transposed, Layout::stepped, Layout::transposed_stepped}) {
    const Tensor a = this->numbers.template matrix<TypeParam>(5, 5, layout);
    for (int i = 0; i < 5; ++i) a.data<TypeParam>()[i * (a.strides()[0] + a.strides()[1])] += 3;
    const Tensor b = this->numbers.template matrix<TypeParam>(5, 3, layout);
    this->expect_close(a.matmul(linalg::solve(a, b)), b);
    this->expect_unit(a.matmul(linalg::inv(a)));
    EXPECT_NEAR(linalg::det(a).item(), linalg::det(a.clone()).item(), 1e-3);
    const linalg::QR qr = linalg::qr(b);
    this->expect_close(qr.q.matmul(qr.r), b);
    const linalg::SVD svd = linalg::svd(b);
    this->expect_close((svd.u * svd.s).matmul(svd.vh), b);
    this->expect_close(linalg::lstsq(b, a), linalg::pinv(b).matmul(a));
    const Tensor symmetric = a.matmul(this->turned(a));
    const Tensor l = linalg::cholesky(this->turned(symmetric));
    this->expect_close(l.matmul(this->turned(l)), symmetric);
  }
}

TYPED_TEST(Linalg, InverseTimesMatrixIsUnit) {
  for (const Shape& shape : square_shapes) {
    const Tensor a = this->regular(shape);
    this->expect_unit(a.matmul(linalg::inv(a)));
    this->expect_unit(linalg::inv(a).matmul(a));
  }
}

TYPED_TEST(Linalg, DeterminantIsTheExpansionByMinors) {
  for (const Shape& shape : std::vector<Shape>{{0, 0}, {1, 1}, {2, 2}, {5, 5}, {4, 3, 3}, {2, 3, 4, 4}}) {
    const Tensor a = this->make(shape);
    const Tensor det = linalg::det(a);
    const linalg::SignLogAbsDet parts = linalg::slogdet(a);
    EXPECT_EQ(det.dims(), shape.dims() - 2);
    EXPECT_EQ(parts.sign.shape(), det.shape());
    EXPECT_EQ(parts.logabsdet.shape(), det.shape());
    for (std::int64_t i = 0; i < det.numel(); ++i) {
      const double expected = expansion_by_minors(matrix_of(a, i));
      EXPECT_NEAR(det.to_vector<double>()[static_cast<std::size_t>(i)], expected, this->tolerance);
      EXPECT_EQ(parts.sign.to_vector<double>()[static_cast<std::size_t>(i)], expected < 0 ? -1 : 1);
      EXPECT_NEAR(parts.logabsdet.to_vector<double>()[static_cast<std::size_t>(i)], std::log(std::abs(expected)),
                  10 * this->tolerance);
    }
  }
  const Tensor singular = Tensor::from_vector<double>({1, 2, 2, 4}, {2, 2}).to(this->dtype);
  EXPECT_EQ(linalg::det(singular).item(), 0);
  EXPECT_EQ(linalg::slogdet(singular).sign.item(), 0);
  EXPECT_EQ(linalg::slogdet(singular).logabsdet.item(), -infinity);
}

TYPED_TEST(Linalg, CholeskyFactorIsLowerTriangularAndSquaresToTheMatrix) {
  for (const Shape& shape : square_shapes) {
    const Tensor a = this->positive_definite(shape);
    const Tensor l = linalg::cholesky(a);
    this->expect_close(l.matmul(this->turned(l)), a);
    const auto factor = matrix_of(l);
    for (std::size_t i = 0; i < factor.size(); ++i) {
      EXPECT_GT(factor[i][i], 0);
      for (std::size_t j = i + 1; j < factor.size(); ++j) EXPECT_EQ(factor[i][j], 0);
    }
  }
  // The upper triangle is not read.
  const Tensor a = Tensor::from_vector<double>({4, nan, 2, 10}, {2, 2}).to(this->dtype);
  EXPECT_EQ(linalg::cholesky(a).to_vector<double>(), (std::vector<double>{2, 0, 1, 3}));
}

TYPED_TEST(Linalg, QrIsOrthonormalTimesUpperTriangular) {
  for (const Shape& shape : all_shapes) {
    const Tensor a = this->make(shape);
    const auto [q, r] = linalg::qr(a);
    EXPECT_EQ(q.size(-1), std::min(a.size(-2), a.size(-1)));
    this->expect_close(q.matmul(r), a);
    this->expect_unit(this->turned(q).matmul(q));
    const auto factor = matrix_of(r, r.numel() / (r.size(-1) * r.size(-2)) - 1);
    for (std::size_t i = 0; i < factor.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(factor[i][j], 0);
    }
  }
}

TYPED_TEST(Linalg, SvdIsOrthonormalTimesValuesTimesOrthonormal) {
  for (const Shape& shape : all_shapes) {
    const Tensor a = this->make(shape);
    const auto [u, s, vh] = linalg::svd(a);
    const std::int64_t k = std::min(a.size(-2), a.size(-1));
    EXPECT_EQ(u.size(-1), k);
    EXPECT_EQ(vh.size(-2), k);
    Shape row = s.shape();
    row[row.dims() - 1] = 1;
    row.push_back(k);
    this->expect_close((u * s.reshape(row)).matmul(vh), a);
    this->expect_unit(this->turned(u).matmul(u));
    this->expect_unit(vh.matmul(this->turned(vh)));
    const std::vector<double> values = s.template to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_GE(values[i], 0);
      if (i % static_cast<std::size_t>(k) == 0) continue;  // of the next matrix
      EXPECT_LE(values[i], values[i - 1]);
    }
  }
}

TYPED_TEST(Linalg, EighDiagonalizes) {
  for (const Shape& shape : square_shapes) {
    const Tensor x = this->make(shape);
    const Tensor a = x + this->turned(x);
    const auto [w, v] = linalg::eigh(a);
    Shape row = w.shape();
    row[row.dims() - 1] = 1;
    row.push_back(w.size(-1));
    this->expect_close(a.matmul(v), v * w.reshape(row));
    this->expect_unit(this->turned(v).matmul(v));
    const std::vector<double> values = w.template to_vector<double>();
    for (std::size_t i = 1; i < values.size(); ++i) {
      if (i % static_cast<std::size_t>(w.size(-1)) == 0) continue;  // of the next matrix
      EXPECT_GE(values[i], values[i - 1]);
    }
  }
  const Tensor a = Tensor::from_vector<double>({2, nan, 0, 1}, {2, 2}).to(this->dtype);  // only the lower triangle
  EXPECT_EQ(linalg::eigh(a).eigenvalues.template to_vector<double>(), (std::vector<double>{1, 2}));
}

// The residual of a least-squares solution is orthogonal to every column; the smallest solution lies in the row
// space.
TYPED_TEST(Linalg, LstsqFulfilsTheNormalEquationsWithTheSmallestNorm) {
  for (const Shape& shape : all_shapes) {
    Shape right = shape;
    right[right.dims() - 1] = 2;
    const Tensor b = this->make(right);
    const Tensor full = this->make(shape);
    // Of rank 1.
    Shape column = shape, row = shape;
    column[column.dims() - 1] = 1;
    row[row.dims() - 2] = 1;
    const Tensor deficient = this->make(column).matmul(this->make(row));
    for (const Tensor& a : {full, deficient}) {
      const Tensor x = linalg::lstsq(a, b);
      const Tensor at = this->turned(a);
      this->expect_close(at.matmul(a.matmul(x)), at.matmul(b));
      this->expect_close(linalg::pinv(a).matmul(a).matmul(x), x);
      this->expect_close(x, linalg::pinv(a).matmul(b));
    }
  }
}

TYPED_TEST(Linalg, PinvFulfilsPenrosesConditions) {
  for (const Shape& shape : all_shapes) {
    Shape column = shape, row = shape;
    column[column.dims() - 1] = 1;
    row[row.dims() - 2] = 1;
    for (const Tensor& a : {this->make(shape), this->make(column).matmul(this->make(row))}) {
      const Tensor p = linalg::pinv(a);
      this->expect_close(a.matmul(p).matmul(a), a);
      this->expect_close(this->turned(a.matmul(p)), a.matmul(p));
      this->expect_close(this->turned(p.matmul(a)), p.matmul(a));
    }
  }
}

TYPED_TEST(Linalg, NothingGivesNothing) {
  for (const Shape& shape : std::vector<Shape>{{0, 0}, {0, 3, 3}, {2, 0, 0}}) {
    const Tensor a = Tensor::zeros(shape, this->dtype);
    Shape right = shape;
    right[right.dims() - 1] = 2;
    EXPECT_EQ(linalg::solve(a, Tensor::zeros(right, this->dtype)).shape(), right);
    EXPECT_EQ(linalg::inv(a).shape(), shape);
    EXPECT_EQ(linalg::cholesky(a).shape(), shape);
    EXPECT_EQ(linalg::eigh(a).eigenvectors.shape(), shape);
    EXPECT_EQ(linalg::det(a).numel(), shape[0] == 0 && shape.dims() == 3 ? 0 : shape.dims() == 2 ? 1 : 2);
    for (const double det : linalg::det(a).template to_vector<double>()) EXPECT_EQ(det, 1);
    for (const double log : linalg::slogdet(a).logabsdet.template to_vector<double>()) EXPECT_EQ(log, 0);
  }
  for (const Shape& shape : std::vector<Shape>{{0, 0}, {0, 3}, {3, 0}, {0, 3, 2}, {2, 3, 0}}) {
    const Tensor a = Tensor::zeros(shape, this->dtype);
    const auto [q, r] = linalg::qr(a);
    EXPECT_EQ(q.matmul(r).shape(), shape);
    const auto [u, s, vh] = linalg::svd(a);
    EXPECT_EQ(u.matmul(vh).shape(), shape);
    EXPECT_EQ(s.size(-1), std::min(a.size(-1), a.size(-2)));
    EXPECT_EQ(linalg::pinv(a).shape(), this->turned(a).shape());
    Shape right = shape;
    right[right.dims() - 1] = 2;
    const Tensor x = linalg::lstsq(a, Tensor::ones(right, this->dtype));
    EXPECT_EQ(x.size(-2), a.size(-1));
    for (const double value : x.template to_vector<double>()) EXPECT_EQ(value, 0);
  }
}

TYPED_TEST(Linalg, MatricesThatAreNotFiniteNeitherHangNorCrash) {
  for (const double bad : {nan, infinity, -infinity}) {
    for (std::int64_t position = 0; position < 9; ++position) {
      const Tensor a = this->regular({3, 3, 3});
      a.template data<TypeParam>()[9 + position] = static_cast<TypeParam>(bad);
      const Tensor b = this->make({3, 3, 2});
      const auto expect_nan_in_the_second = [](const Tensor& x) {
        const std::vector<double> values = x.to_vector<double>();
        for (std::size_t i = 0; i < values.size(); ++i) {
          EXPECT_EQ(std::isnan(values[i]), i / (values.size() / 3) == 1) << i;
        }
      };
      expect_nan_in_the_second(linalg::solve(a, b));
      expect_nan_in_the_second(linalg::inv(a));
      expect_nan_in_the_second(linalg::det(a));
      expect_nan_in_the_second(linalg::slogdet(a).logabsdet);
      expect_nan_in_the_second(linalg::qr(a).q);
      expect_nan_in_the_second(linalg::qr(a).r);
      expect_nan_in_the_second(linalg::lstsq(a, b));
      EXPECT_TRUE(contains(error_of([&] { linalg::svd(a); }), "svd: matrix 1 of the batch [3, 3, 3]"));
      EXPECT_TRUE(contains(error_of([&] { linalg::pinv(a); }), "pinv: matrix 1 of the batch"));
      const Tensor symmetric = a + this->turned(a);
      EXPECT_TRUE(contains(error_of([&] { linalg::eigh(symmetric); }), "eigh: matrix 1 of the batch"));
      EXPECT_TRUE(contains(error_of([&] { linalg::cholesky(symmetric); }), "cholesky: matrix 1 of the batch"));
    }
  }
}

TYPED_TEST(Linalg, MatricesWithoutAnAnswerAreNamed) {
  const Tensor a = this->regular({4, 3, 3});
  const Tensor b = this->make({4, 3, 2});
  a.narrow(0, 2, 1).narrow(1, 1, 1).fill_(0);
  const std::string solved = error_of([&] { linalg::solve(a, b); });
  EXPECT_TRUE(contains(solved, "solve: matrix 2 of the batch [4, 3, 3] is singular: pivot ")) << solved;
  EXPECT_TRUE(contains(error_of([&] { linalg::inv(a); }), "inv: matrix 2 of the batch [4, 3, 3] is singular"));
  const Tensor zero = Tensor::zeros({2, 2}, this->dtype);
  EXPECT_TRUE(contains(error_of([&] { linalg::inv(zero); }),
                       "inv: the matrix [2, 2] is singular: pivot 0 of its LU decomposition is 0"));
  const Tensor indefinite = Tensor::from_vector<double>({1, 0, 0, -1}, {2, 2}).to(this->dtype);
  EXPECT_TRUE(contains(error_of([&] { linalg::cholesky(indefinite); }),
                       "cholesky: the matrix [2, 2] is not positive definite: its leading 2 by 2 block is not"));
}

}  // namespace
}  // namespace feral
