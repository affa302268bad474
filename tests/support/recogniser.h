/* SPDX-License-Identifier: MIT */
/*
 * The recogniser of the two tracks that every stream's life keeps to (recorder.h): it is told one word after the other,
 * remembers only where the life stands, and says what a word breaks.
 */
#ifndef WEIR_TEST_RECOGNISER_H
#define WEIR_TEST_RECOGNISER_H

typedef struct recogniser {
    int phase;
    int began;    /* anything was seen at all */
    int ended;    /* 'end' was seen */
    int finished; /* 'finish' was seen */
    int failed;   /* 'error' was seen */
    long writes;  /* the number of the last w */
    long ends;
} recogniser;

/* Before the first word. `accepted`: the stream is open already. */
void recogniser_begin(recogniser *self, int accepted);

/* The next word of a recorder's text. NULL, or what it breaks; static text. */
const char *recogniser_word(recogniser *self, const char *word);

/* No more words come: NULL, or why that is too soon. */
const char *recogniser_over(const recogniser *self);

#endif
