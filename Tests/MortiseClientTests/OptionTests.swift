import MortiseClient
import Testing

@Suite struct OptionTests {
    @Test func `a timeout is limited to 1 millisecond to 24 hours`() {
        var options = ClientOptions()
        #expect(options.timeout == .seconds(30))
        options.timeout = .zero
        #expect(options.timeout == .milliseconds(1))
        options.timeout = .seconds(1_000_000)
        #expect(options.timeout == .seconds(86_400))
    }

    @Test func `the number of retries is limited to 0 to 10`() {
        var options = ClientOptions()
        #expect(options.maximumRetries == 2)
        options.maximumRetries = -1
        #expect(options.maximumRetries == 0)
        options.maximumRetries = 100
        #expect(options.maximumRetries == 10)
    }
}
