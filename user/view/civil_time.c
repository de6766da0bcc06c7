/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/civil_time.h"

#define NS_PER_S  INT64_C(1000000000)
#define S_PER_DAY 86400
/* From 0000-03-01, where the calendar below begins, to 1970-01-01. */
#define DAYS_TO_EPOCH 719468

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static char *put_digits(char *to, uint32_t value, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		to[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return to + digits;
}

static char *put_clock(char *to, uint32_t second_of_day)
{
	to = put_digits(to, second_of_day / 3600, 2);
	*to++ = ':';
	to = put_digits(to, second_of_day / 60 % 60, 2);
	*to++ = ':';
	return put_digits(to, second_of_day % 60, 2);
}

/* Days since 1970-01-01 to a date of the Gregorian calendar: civil_from_days() of Howard Hinnant, "chrono-
 * Compatible Low-Level Date Algorithms", public domain. Its years begin in March. */
static char *put_date(char *to, int64_t days)
{
	uint32_t shifted = (uint32_t)(days + DAYS_TO_EPOCH);
	uint32_t era = shifted / 146097, day_of_era = shifted % 146097;
	uint32_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint32_t month = (5 * day_of_year + 2) / 153;
	uint32_t day = day_of_year - (153 * month + 2) / 5 + 1;
	uint32_t year = year_of_era + era * 400 + (month >= 10);

	to = put_digits(to, year, 4);
	*to++ = '-';
	to = put_digits(to, month < 10 ? month + 3 : month - 9, 2);
	*to++ = '-';
	return put_digits(to, day, 2);
}

/* Within its second. By the remainder, since the product would overflow in the first second of an int64_t. */
static uint32_t nanoseconds_of(int64_t wall_ns)
{
	int64_t rest = wall_ns % NS_PER_S;

	return (uint32_t)(rest < 0 ? rest + NS_PER_S : rest);
}

const char *civil_rfc3339(int64_t wall_ns, char buf[CIVIL_TIME_MAX])
{
	int64_t seconds = floor_div(wall_ns, NS_PER_S);
	int64_t days = floor_div(seconds, S_PER_DAY);
	char *to = buf;

	to = put_date(to, days);
	*to++ = 'T';
	to = put_clock(to, (uint32_t)(seconds - days * S_PER_DAY));
	*to++ = '.';
	to = put_digits(to, nanoseconds_of(wall_ns), 9);
	*to++ = 'Z';
	*to = '\0';
	return buf;
}

const char *civil_clock(int64_t wall_ns, int32_t utc_offset_s, char buf[CIVIL_TIME_MAX])
{
	int64_t seconds = floor_div(wall_ns, NS_PER_S);
	int64_t local = seconds + utc_offset_s;
	char *to = put_clock(buf, (uint32_t)(local - floor_div(local, S_PER_DAY) * S_PER_DAY));

	*to++ = '.';
	to = put_digits(to, nanoseconds_of(wall_ns) / 1000000, 3);
	*to = '\0';
	return buf;
}
