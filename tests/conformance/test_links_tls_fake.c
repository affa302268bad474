/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite on the layer tls with its fake engine, over every transport, over itself, and over a layer that
 * does everything a link may do: what any engine's layer does is proved here.
 */
#include "suite.h"

#define CA   "-----BEGIN FAKE CERTIFICATE-----\\nsubject=ca\\nissuer=ca\\n"
#define CERT "-----BEGIN FAKE CERTIFICATE-----\\nsubject=server\\nissuer=ca\\nname=localhost\\n"
#define KEY  "-----BEGIN FAKE KEY-----\\nsubject=server\\n"

#define LISTENS  "{\"tls-fake\": {\"cert\": \"" CERT "\", \"key\": \"" KEY "\"}}"
#define CONNECTS "{\"tls-fake\": {\"ca\": \"" CA "\", \"servername\": \"localhost\"}}"

int main(void)
{
    static const suite_tls fake = {
        .plugin = "tls-fake",
        .listens = LISTENS,
        .connects = CONNECTS,
        .query = "?servername=localhost&ca=-----BEGIN%20FAKE%20CERTIFICATE-----%0Asubject=ca%0Aissuer=ca%0A",
    };
    int failed = 0;
    fixture_preload(fake.plugin);
    for (suite_tls_stack stack = SUITE_TLS_OVER_TCP; stack <= SUITE_TLS_OVER_CHAOS; stack++)
        failed += suite_run_tls(&fake, stack);
    return failed;
}
