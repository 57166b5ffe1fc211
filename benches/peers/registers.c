/* What the processor can do at most: multiply-adds of f32 that touch nothing but registers.

   `registers THREADS` answers every line that it reads with the seconds that 1e9 operations take on all threads together;
   a multiply-add is two. It is built by `cargo xtask bench --peers`, for this processor alone. */

#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

/* As many chains as hide the latency of two units, and few enough to stay in registers. */
enum { CHAINS = 12, MAX_THREADS = 256, SAMPLES = 9 };

typedef float Lanes __attribute__((vector_size(4 * LANES)));

static const long REPEATS = 1000000;
static volatile float sink;

static void *multiply_add(void *unused) {
    const Lanes factor = (Lanes){} + 0.999f, term = (Lanes){} + 0.001f;
    Lanes chains[CHAINS], sum = {};
    for (int chain = 0; chain < CHAINS; chain++)
        chains[chain] = (Lanes){} + (float)chain;
    for (long repeat = 0; repeat < REPEATS; repeat++) {
#pragma GCC unroll 12
        for (int chain = 0; chain < CHAINS; chain++)
            chains[chain] = chains[chain] * factor + term;
    }
    for (int chain = 0; chain < CHAINS; chain++)
        sum += chains[chain];
    sink = sum[0];
    return unused;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + 1e-9 * time.tv_nsec;
}

/* The seconds that 1e9 operations take. */
static double sample(int count) {
    pthread_t threads[MAX_THREADS];
    double start = now();
    for (int thread = 0; thread < count; thread++)
        if (pthread_create(&threads[thread], NULL, multiply_add, NULL) != 0)
            exit(1);
    for (int thread = 0; thread < count; thread++)
        pthread_join(threads[thread], NULL);
    double operations = 2.0 * count * REPEATS * CHAINS * LANES;
    return (now() - start) * 1e9 / operations;
}

static int compare(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv) {
    int count = argc == 2 ? atoi(argv[1]) : 0;
    if (count < 1 || count > MAX_THREADS) {
        fprintf(stderr, "expected the number of threads, 1 to %d\n", MAX_THREADS);
        return 2;
    }
    int byte;
    while ((byte = getchar()) != EOF) {
        if (byte != '\n')
            continue;
        double samples[SAMPLES];
        for (int index = 0; index < SAMPLES; index++)
            samples[index] = sample(count);
        qsort(samples, SAMPLES, sizeof *samples, compare);
        printf("{\"median\": %.9g, \"min\": %.9g, \"repeats\": %d}\n", samples[SAMPLES / 2], samples[0], SAMPLES);
        fflush(stdout);
    }
    return 0;
}
