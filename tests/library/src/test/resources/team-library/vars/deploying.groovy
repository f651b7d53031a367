void call(String service, Closure body) {
    withLast9Deployment(serviceName: service, body)
}
