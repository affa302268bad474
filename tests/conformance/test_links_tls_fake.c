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
    fixture_preload("tls-fake");
    return suite_run_tls("tls-fake", LISTENS, CONNECTS,
                         "?servername=localhost&ca=-----BEGIN%20FAKE%20CERTIFICATE-----%0Asubject=ca%0Aissuer=ca%0A");
}
