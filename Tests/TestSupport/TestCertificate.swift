#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A certificate for 127.0.0.1 and localhost that signed itself, with its key, which protects nothing.
package struct TestCertificate: Sendable {
    /// The certificate, as PEM.
    package let certificate: String
    /// The private key, as PEM.
    package let key: String

    /// Writes both files.
    ///
    /// Only the owner can read the key.
    package func write(to certificate: String, _ key: String) {
        TemporaryFolder.write(self.certificate, to: certificate)
        TemporaryFolder.write(self.key, to: key)
        _ = chmod(key, 0o600)
    }

    /// A certificate that is valid from 2020 to 2126.
    package static let first = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBbDCCAROgAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxtb3J0aXNl
            IHRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyNjAxMDEwMDAwMDBaMBcxFTATBgNV
            BAMMDG1vcnRpc2UgdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMqRmqiB
            isvEzlmW6v+zrEJO/2cyhpa+MvWNZBn+UhGeW6vves6rEvvd2u3tomdvxJ8E+7tQ
            Tg5/J7yudrudS+6jTjBMMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFCaBfe0R
            rmdawRUHfa25AMYA37pSMBoGA1UdEQQTMBGHBH8AAAGCCWxvY2FsaG9zdDAKBggq
            hkjOPQQDAgNHADBEAiBX23yKmiGxt7o7r2kZuiV35qFBUaRRdFBt5TCDlHI0vwIg
            RorCIUN9ZhrqWSzlSf1G53dsZHRLmffXV7DkVVYuOWc=
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDemn76KlKHOZ+vQJ
            eibVz0jK9YZYCd69yFuLY21lOAuhRANCAATKkZqogYrLxM5Zlur/s6xCTv9nMoaW
            vjL1jWQZ/lIRnlur73rOqxL73drt7aJnb8SfBPu7UE4Ofye8rna7nUvu
            -----END PRIVATE KEY-----
            """
    )

    /// A certificate with the key of the first one, which was valid in 2020.
    package static let ended = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBVzCB/qADAgECAgEDMAoGCCqGSM49BAMCMB0xGzAZBgNVBAMMEm1vcnRpc2Ug
            dGVzdCBlbmRlZDAeFw0yMDAxMDEwMDAwMDBaFw0yMTAxMDEwMDAwMDBaMB0xGzAZ
            BgNVBAMMEm1vcnRpc2UgdGVzdCBlbmRlZDBZMBMGByqGSM49AgEGCCqGSM49AwEH
            A0IABMqRmqiBisvEzlmW6v+zrEJO/2cyhpa+MvWNZBn+UhGeW6vves6rEvvd2u3t
            omdvxJ8E+7tQTg5/J7yudrudS+6jLzAtMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0R
            BBMwEYcEfwAAAYIJbG9jYWxob3N0MAoGCCqGSM49BAMCA0gAMEUCIQDbEGk2jy8F
            6Fny2z7XHg7DZzjrDTZ/aJ9jfhIP0v/xQQIgC7azGGM9bbYNIUvyBxflW+Sbdwww
            OsFR3qrzN2yNr5k=
            -----END CERTIFICATE-----
            """,
        key: first.key
    )

    /// Another certificate, for clients that do not look at the time.
    package static let second = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBrjCCAVWgAwIBAgIUR129f86JmJcyzf5rNC2MQ4jV2kkwCgYIKoZIzj0EAwIw
            HjEcMBoGA1UEAwwTbW9ydGlzZSB0ZXN0IHNlY29uZDAgFw0yNjExMjYxMzU4MDla
            GA8yMTI2MTEwMjEzNTgwOVowHjEcMBoGA1UEAwwTbW9ydGlzZSB0ZXN0IHNlY29u
            ZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDOmPX10djn7srmO3mUBTXPR6FKw
            MiKPRhi0XaDdahP4NPTb3xr+dIYeB3Um/h0ZKUPy59GsdJMf6tUI18qhiS+jbzBt
            MB0GA1UdDgQWBBTr0eiEKDo7d+9hhvjOXvkbNtPqGzAfBgNVHSMEGDAWgBTr0eiE
            KDo7d+9hhvjOXvkbNtPqGzAPBgNVHRMBAf8EBTADAQH/MBoGA1UdEQQTMBGHBH8A
            AAGCCWxvY2FsaG9zdDAKBggqhkjOPQQDAgNHADBEAiALC3u1LGmfPWzpFqHsyHBe
            BF09l6peKPyamNIflcww3gIgCWac3WXkpMV7WyGBpYR+NBLYPf4czuMHhAn2pGee
            TNk=
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcMu2w4ZG66HWlQBq
            dbsv6/FyXnFru0yBASBIHYHgdW6hRANCAAQzpj19dHY5+7K5jt5lAU1z0ehSsDIi
            j0YYtF2g3WoT+DT0298a/nSGHgd1Jv4dGSlD8ufRrHSTH+rVCNfKoYkv
            -----END PRIVATE KEY-----
            """
    )
}
