import MortiseClient

/// The examples in `ClientOptions.swift`.
enum ClientOptionsExamples {
    static func example1() throws {
        var options = ClientOptions()
        options.timeout = .seconds(5)
        options.maximumRetries = 0
        options.userAgent = "shop/2.1"
        let client = Mortise(url: try ServerURL("https://keys.example.com"), credential: nil, options: options)
        print(client.url.text)
    }

    static func example2() {
        let options = ClientOptions()
        print(options.timeout)
    }
}
