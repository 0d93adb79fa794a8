import MortiseClient

/// The examples in `ServerURL.swift`.
enum ClientServerURLExamples {
    static func example1() throws {
        let url = try ServerURL("https://keys.example.com")
        print(url.text, url.isEncrypted)
    }

    static func example2() throws {
        do {
            _ = try ServerURL("https://name:password@keys.example.com")
        } catch {
            switch error {
            case .notAServer: print("It begins with https:// and a host.")
            case .credentialsInside: print("Pass a token instead.")
            case .queryOrFragment: print("It ends with the path.")
            }
        }
    }

    static func example3() throws {
        let url = try ServerURL("http+unix://%2Frun%2Fmortise.sock")
        print(url.isLocal)
    }
}
