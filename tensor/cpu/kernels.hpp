// The kernels of the CPU; contracts in tensor/kernels.hpp.
#pragma once

#include "tensor/kernels.hpp"

namespace feral::cpu {

void unary(UnaryKernel kernel, const Tensor& out, const Tensor& x);
void binary(BinaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b);
void compare(CompareKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b);
void where(const Tensor& out, const Tensor& condition, const Tensor& a, const Tensor& b);
void affine(const Tensor& out, const Tensor& x, double scale, double shift);

void copy(const Tensor& out, const Tensor& x);
void fill(const Tensor& out, double value);

void sum_to(const Tensor& out, const Tensor& x);
void argmax(const Tensor& out, const Tensor& x, int dim);

void matmul(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate);
void fill_rows(const Tensor& out, const Tensor& row);

void conv2d(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, Conv2dGeometry geometry);
void conv2d_input_gradient(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& weight,
                           Conv2dGeometry geometry);
void conv2d_weight_gradient(const Tensor& weight_gradient, const Tensor& x, const Tensor& out_gradient,
                            Conv2dGeometry geometry);

void max_pool2d(const Tensor& out, const Tensor& window, const Tensor& x, Pool2dGeometry geometry);
void max_pool2d_scatter(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& window,
                        Pool2dGeometry geometry);
void max_pool2d_gather(const Tensor& out, const Tensor& x, const Tensor& window, Pool2dGeometry geometry);

void log_softmax(const Tensor& out, const Tensor& x);
void nll_loss(const Tensor& out, const Tensor& x, const Tensor& target);
void nll_loss_scatter(const Tensor& out, const Tensor& gradient, const Tensor& target);

void dropout(const Tensor& out, const Tensor& x, const DropoutDraw& draw);
void uniform(const Tensor& out, double low, double high, std::uint64_t seed, std::uint64_t stream,
             std::uint64_t first_block);

inline constexpr Kernels kernel_table = {
    .unary = unary,
    .binary = binary,
    .affine = affine,
    .compare = compare,
    .where = where,
    .copy = copy,
    .fill = fill,
    .sum_to = sum_to,
    .argmax = argmax,
    .matmul = matmul,
    .fill_rows = fill_rows,
    .conv2d = conv2d,
    .conv2d_input_gradient = conv2d_input_gradient,
    .conv2d_weight_gradient = conv2d_weight_gradient,
    .max_pool2d = max_pool2d,
    .max_pool2d_scatter = max_pool2d_scatter,
    .max_pool2d_gather = max_pool2d_gather,
    .log_softmax = log_softmax,
    .nll_loss = nll_loss,
    .nll_loss_scatter = nll_loss_scatter,
    .dropout = dropout,
    .uniform = uniform,
};

}  // namespace feral::cpu
