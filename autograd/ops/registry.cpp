#include "autograd/ops/registry.hpp"

#include "autograd/ops/activation.hpp"
#include "autograd/ops/arrange.hpp"
#include "autograd/ops/attention.hpp"
#include "autograd/ops/binary.hpp"
#include "autograd/ops/binary_cross_entropy.hpp"
#include "autograd/ops/choice.hpp"
#include "autograd/ops/classification.hpp"
#include "autograd/ops/convolution.hpp"
#include "autograd/ops/counting.hpp"
#include "autograd/ops/cross_entropy.hpp"
#include "autograd/ops/ctc.hpp"
#include "autograd/ops/dropout.hpp"
#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/embedding.hpp"
#include "autograd/ops/extreme.hpp"
#include "autograd/ops/gather.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/ops/integer.hpp"
#include "autograd/ops/interpolate.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/linalg_factor.hpp"
#include "autograd/ops/linalg_solve.hpp"
#include "autograd/ops/masked.hpp"
#include "autograd/ops/moments.hpp"
#include "autograd/ops/normalization.hpp"
#include "autograd/ops/pad.hpp"
#include "autograd/ops/pooling.hpp"
#include "autograd/ops/predicate.hpp"
#include "autograd/ops/product.hpp"
#include "autograd/ops/recurrent.hpp"
#include "autograd/ops/reduction.hpp"
#include "autograd/ops/scan.hpp"
#include "autograd/ops/softmax.hpp"
#include "autograd/ops/sorting.hpp"
#include "autograd/ops/special.hpp"
#include "autograd/ops/ternary.hpp"
#include "autograd/ops/unary.hpp"
#include "autograd/ops/view.hpp"
#include "autograd/ops/view_part.hpp"

namespace feral {
namespace {

template <class... Ops>
constexpr std::array<const OpInfo*, sizeof...(Ops)> list() {
  return {&op_info<Ops>...};
}

// clang-format off
constexpr auto ops_list = list<
    ops::Add, ops::Sub, ops::Mul, ops::Div, ops::Affine, ops::Clone, ops::Convert, ops::Maximum, ops::Minimum,
    ops::Pow, ops::Atan2, ops::Hypot, ops::Fmod, ops::Remainder, ops::Logaddexp, ops::Exp, ops::Exp2, ops::Expm1,
    ops::Log, ops::Log2, ops::Log10, ops::Log1p, ops::Sqrt, ops::Rsqrt, ops::Reciprocal, ops::Square, ops::Abs,
    ops::Sign, ops::Sin, ops::Cos, ops::Tan, ops::Asin, ops::Acos, ops::Atan, ops::Sinh, ops::Cosh, ops::Tanh,
    ops::Asinh, ops::Acosh, ops::Atanh, ops::Sigmoid, ops::Softplus, ops::Erf, ops::Erfc, ops::Floor, ops::Ceil,
    ops::Trunc, ops::Round, ops::Relu, ops::ReluBackward, ops::Equal, ops::NotEqual, ops::Less, ops::LessEqual,
    ops::Where, ops::Logaddexp2, ops::Xlogy, ops::Copysign, ops::Nextafter, ops::FloorDivide, ops::Lerp, ops::Addcmul,
    ops::Addcdiv, ops::Gelu, ops::GeluSlope, ops::GeluTanh, ops::GeluTanhSlope, ops::Silu, ops::SiluSlope, ops::Mish,
    ops::Logsigmoid, ops::Elu, ops::LeakyRelu, ops::Clamp, ops::NanToNum, ops::Erfinv, ops::Lgamma, ops::Digamma,
    ops::Polygamma, ops::Logit, ops::Sinc, ops::Frac, ops::BitwiseAnd, ops::BitwiseOr, ops::BitwiseXor,
    ops::LeftShift, ops::RightShift, ops::Gcd, ops::Lcm, ops::IsNan, ops::IsInf, ops::IsFinite, ops::Signbit,
    ops::IsClose, ops::SumTo, ops::Argmax, ops::View, ops::Transpose, ops::Permute, ops::Expand, ops::Narrow,
    ops::Slice, ops::Select, ops::Diagonal, ops::Unfold, ops::AsStrided, ops::ViewBackward, ops::Matmul, ops::Linear,
    ops::Convolution, ops::ConvolutionInputGradient, ops::ConvolutionWeightGradient, ops::MaxPool2d,
    ops::MaxPool2dScatter, ops::MaxPool2dGather, ops::MaxPoolIndices, ops::PoolGather, ops::PoolScatter, ops::AvgPool,
    ops::AvgPoolBackward, ops::Interpolate, ops::InterpolateBackward, ops::LogSoftmax, ops::NllLoss,
    ops::NllLossScatter, ops::Dropout, ops::Sum, ops::Mean, ops::Prod, ops::Any, ops::All, ops::CountNonzero,
    ops::Amax, ops::Amin, ops::Argmin, ops::Argmedian, ops::Median, ops::Pick, ops::Var, ops::Std, ops::Norm,
    ops::Logsumexp, ops::Cumsum, ops::Cumprod, ops::Recurrence, ops::Softmax, ops::Bmm, ops::Solve, ops::Inv,
    ops::Det, ops::Cofactors, ops::Slogdet, ops::Lstsq, ops::Pinv, ops::Cholesky, ops::Qr, ops::Svd, ops::Eigh,
    ops::Flip, ops::Tril, ops::Triu, ops::Diag, ops::OneHot, ops::Cat, ops::Pad, ops::Bincount, ops::Histogram,
    ops::IndexAdd, ops::IndexCopy, ops::IndexFill, ops::Nonzero, ops::Gather, ops::Scatter, ops::ScatterFill,
    ops::ScatterAdd, ops::ScatterReduce, ops::Embedding, ops::EmbeddingBag, ops::Argsort, ops::Topk, ops::Kthvalue,
    ops::Unique, ops::Searchsorted, ops::LayerNorm, ops::RmsNorm, ops::GroupNorm, ops::BatchMoments, ops::BatchNorm,
    ops::CrossEntropy, ops::CrossEntropyBackward, ops::BinaryCrossEntropy, ops::CtcLoss, ops::CtcLossBackward, ops::Recurrent, ops::Attention>();
// clang-format on

}  // namespace

std::span<const OpInfo* const> all_ops() noexcept { return ops_list; }

}  // namespace feral
