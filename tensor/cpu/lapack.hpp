// LAPACK, which is part of OpenBLAS, in float and double by one name each. Debian's OpenBLAS brings no header for
// it, so that the Fortran routines are declared here.
//
// LAPACK stores matrices column by column: what is the row-major matrix A [m, n] to us is Aᵀ [n, m] to it, with m
// and n as in that view; the kernels say how each gets by. lda and its like are column lengths as stored. Every
// function returns LAPACK's info: 0, or greater than 0 for a matrix that it could not handle. With work_size -1 it
// computes nothing and leaves the best size in work[0] (and int_work[0]).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/error.hpp"

// The sizes at the end are the lengths of the strings, which Fortran compilers pass unseen.
extern "C" {
void sgetrf_(const int*, const int*, float*, const int*, int*, int*);
void dgetrf_(const int*, const int*, double*, const int*, int*, int*);
void sgetri_(const int*, float*, const int*, const int*, float*, const int*, int*);
void dgetri_(const int*, double*, const int*, const int*, double*, const int*, int*);
void sgetrs_(const char*, const int*, const int*, const float*, const int*, const int*, float*, const int*, int*,
             std::size_t);
void dgetrs_(const char*, const int*, const int*, const double*, const int*, const int*, double*, const int*, int*,
             std::size_t);
void spotrf_(const char*, const int*, float*, const int*, int*, std::size_t);
void dpotrf_(const char*, const int*, double*, const int*, int*, std::size_t);
void sgelqf_(const int*, const int*, float*, const int*, float*, float*, const int*, int*);
void dgelqf_(const int*, const int*, double*, const int*, double*, double*, const int*, int*);
void sorglq_(const int*, const int*, const int*, float*, const int*, const float*, float*, const int*, int*);
void dorglq_(const int*, const int*, const int*, double*, const int*, const double*, double*, const int*, int*);
void sgesdd_(const char*, const int*, const int*, float*, const int*, float*, float*, const int*, float*,
             const int*, float*, const int*, int*, int*, std::size_t);
void dgesdd_(const char*, const int*, const int*, double*, const int*, double*, double*, const int*, double*,
             const int*, double*, const int*, int*, int*, std::size_t);
void ssyevd_(const char*, const char*, const int*, float*, const int*, float*, float*, const int*, int*, const int*,
             int*, std::size_t, std::size_t);
void dsyevd_(const char*, const char*, const int*, double*, const int*, double*, double*, const int*, int*,
             const int*, int*, std::size_t, std::size_t);
void sgelsd_(const int*, const int*, const int*, float*, const int*, float*, const int*, float*, const float*, int*,
             float*, const int*, int*, int*);
void dgelsd_(const int*, const int*, const int*, double*, const int*, double*, const int*, double*, const double*,
             int*, double*, const int*, int*, int*);
}

namespace feral::cpu::lapack {

// info below 0 means a wrong argument, which is ours.
inline int checked(int info) {
  FERAL_ASSERT(info >= 0);
  return info;
}

// P × L × U = A [m, n]; pivots from 1. info > 0: that pivot, from 1, is 0.
inline int getrf(int m, int n, float* a, int lda, int* pivots) {
  int info = 0;
  sgetrf_(&m, &n, a, &lda, pivots, &info);
  return checked(info);
}
inline int getrf(int m, int n, double* a, int lda, int* pivots) {
  int info = 0;
  dgetrf_(&m, &n, a, &lda, pivots, &info);
  return checked(info);
}

// The inverse from getrf's result, in place.
inline int getri(int n, float* a, int lda, const int* pivots, float* work, int work_size) {
  int info = 0;
  sgetri_(&n, a, &lda, pivots, work, &work_size, &info);
  return checked(info);
}
inline int getri(int n, double* a, int lda, const int* pivots, double* work, int work_size) {
  int info = 0;
  dgetri_(&n, a, &lda, pivots, work, &work_size, &info);
  return checked(info);
}

// Solves A × X = B (transpose 'N') or Aᵀ × X = B ('T') with getrf's result; X in place of B.
inline int getrs(char transpose, int n, int columns, const float* a, int lda, const int* pivots, float* b,
                 int ldb) {
  int info = 0;
  sgetrs_(&transpose, &n, &columns, a, &lda, pivots, b, &ldb, &info, 1);
  return checked(info);
}
inline int getrs(char transpose, int n, int columns, const double* a, int lda, const int* pivots, double* b,
                 int ldb) {
  int info = 0;
  dgetrs_(&transpose, &n, &columns, a, &lda, pivots, b, &ldb, &info, 1);
  return checked(info);
}

// Cholesky: of triangle 'U' Uᵀ × U = A, of 'L' L × Lᵀ = A, in place.
inline int potrf(char triangle, int n, float* a, int lda) {
  int info = 0;
  spotrf_(&triangle, &n, a, &lda, &info, 1);
  return checked(info);
}
inline int potrf(char triangle, int n, double* a, int lda) {
  int info = 0;
  dpotrf_(&triangle, &n, a, &lda, &info, 1);
  return checked(info);
}

// L × Q = A [m, n]: L below and on the diagonal, reflectors that make Q above it and in tau.
inline int gelqf(int m, int n, float* a, int lda, float* tau, float* work, int work_size) {
  int info = 0;
  sgelqf_(&m, &n, a, &lda, tau, work, &work_size, &info);
  return checked(info);
}
inline int gelqf(int m, int n, double* a, int lda, double* tau, double* work, int work_size) {
  int info = 0;
  dgelqf_(&m, &n, a, &lda, tau, work, &work_size, &info);
  return checked(info);
}

// The first m rows of Q [n, n] from gelqf's `count` reflectors, in place.
inline int orglq(int m, int n, int count, float* a, int lda, const float* tau, float* work, int work_size) {
  int info = 0;
  sorglq_(&m, &n, &count, a, &lda, tau, work, &work_size, &info);
  return checked(info);
}
inline int orglq(int m, int n, int count, double* a, int lda, const double* tau, double* work, int work_size) {
  int info = 0;
  dorglq_(&m, &n, &count, a, &lda, tau, work, &work_size, &info);
  return checked(info);
}

// U × diag(s) × VT = A [m, n], which is overwritten; job 'S': the first min(m, n) columns of U and rows of VT.
// int_work: 8 min(m, n).
inline int gesdd(char job, int m, int n, float* a, int lda, float* s, float* u, int ldu, float* vt, int ldvt,
                 float* work, int work_size, int* int_work) {
  int info = 0;
  sgesdd_(&job, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work, &work_size, int_work, &info, 1);
  return checked(info);
}
inline int gesdd(char job, int m, int n, double* a, int lda, double* s, double* u, int ldu, double* vt, int ldvt,
                 double* work, int work_size, int* int_work) {
  int info = 0;
  dgesdd_(&job, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work, &work_size, int_work, &info, 1);
  return checked(info);
}

// Eigenvalues of a symmetric matrix, ascending; with job 'V' eigenvectors as columns in place.
inline int syevd(char job, char triangle, int n, float* a, int lda, float* w, float* work, int work_size,
                 int* int_work, int int_work_size) {
  int info = 0;
  ssyevd_(&job, &triangle, &n, a, &lda, w, work, &work_size, int_work, &int_work_size, &info, 1, 1);
  return checked(info);
}
inline int syevd(char job, char triangle, int n, double* a, int lda, double* w, double* work, int work_size,
                 int* int_work, int int_work_size) {
  int info = 0;
  dsyevd_(&job, &triangle, &n, a, &lda, w, work, &work_size, int_work, &int_work_size, &info, 1, 1);
  return checked(info);
}

// Least squares of smallest norm for A [m, n] × X = B; both are overwritten, X stands in B [max(m, n), columns].
inline int gelsd(int m, int n, int columns, float* a, int lda, float* b, int ldb, float* s, float cutoff, int* rank,
                 float* work, int work_size, int* int_work) {
  int info = 0;
  sgelsd_(&m, &n, &columns, a, &lda, b, &ldb, s, &cutoff, rank, work, &work_size, int_work, &info);
  return checked(info);
}
inline int gelsd(int m, int n, int columns, double* a, int lda, double* b, int ldb, double* s, double cutoff,
                 int* rank, double* work, int work_size, int* int_work) {
  int info = 0;
  dgelsd_(&m, &n, &columns, a, &lda, b, &ldb, s, &cutoff, rank, work, &work_size, int_work, &info);
  return checked(info);
}

}  // namespace feral::cpu::lapack
