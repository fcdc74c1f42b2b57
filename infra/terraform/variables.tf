variable "stack_name" {
  type        = string
  default     = "render-on-lambda"
  description = "The stack's name; the add-on finds everything by it."
}

variable "set_up_code_key" {
  type        = string
  default     = ""
  description = "The key of the set-up function's zip in the stack's bucket; the function makes the image of the renderer. The first deployment leaves it empty, and makes the bucket that the zips are then put into."
}

variable "producer_code_key" {
  type        = string
  default     = ""
  description = "The key of the HTTP front door's zip in the stack's bucket. Where it is empty, there are no functions yet."
}

variable "consumer_image_uri" {
  type        = string
  default     = ""
  description = "An image of the renderer that you have built yourself, instead of the stack's own."
}

variable "consumer_code_key" {
  type        = string
  default     = ""
  description = "The key of the consumer's zip in the stack's bucket, instead of an image; blender says where Blender is then."
}

variable "parts_mirror" {
  type        = string
  default     = ""
  description = "Where the set-up function finds Debian's packages and PyPI's files, by the same paths, instead of on the internet."
}

variable "blender" {
  type        = string
  default     = "/usr/bin/python3"
  description = "The path of Blender, or of a Python that has bpy, where the consumer runs."
}

variable "consumer_memory" {
  type        = number
  default     = 3008
  description = "The consumer's memory in MiB. Lambda gives six cores at 10240; a new account gets 3008 at most. `render-on-lambda farm parameters` tells what the account allows."
}

variable "consumer_timeout" {
  type        = number
  default     = 900
  description = "How long one task may take, in seconds."
}

variable "consumer_disk" {
  type        = number
  default     = 10240
  description = "The consumer's /tmp in MiB; a pack must fit in it."
}

variable "maximum_concurrency" {
  type        = number
  default     = 8
  description = "How many frames the queue's mapping has rendered at the same time at most; it begins with 5 and adds 300 a minute. A new account has 10 for all its functions; `render-on-lambda farm parameters` tells what the account allows."
}

variable "burst_workers" {
  type        = number
  default     = 0
  description = "How many workers a job may call at once beside those of the mapping, so that it need not wait for them. Together with maximum_concurrency no more than the account has free."
}

variable "maximum_tries" {
  type        = number
  default     = 5
  description = "How often a task is tried before it goes to the dead-letter queue."
}

variable "lease_seconds" {
  type        = number
  default     = 60
  description = "How long a crashed task stays hidden before another worker takes it, in seconds."
}

variable "retention_days" {
  type        = number
  default     = 30
  description = "After how many days uploads, jobs and results are deleted."
}

variable "alarm_email" {
  type        = string
  default     = ""
  description = "Who is told by e-mail when frames are given up, when the functions fail or are throttled, and when messages wait for hours. Empty for nobody. AWS asks the address first whether it wants that."
}

variable "monthly_budget" {
  type        = number
  default     = 0
  description = "US dollars a month for everything that the stack's tag is on. alarm_email is told at 80 % of it, and where the month will end above it. AWS counts by the tag once it is activated for cost allocation. 0 for none."
}

variable "consumer_blender_versions" {
  type        = string
  default     = "4.5 5.2"
  description = "The Blenders of ConsumerImageUri or ConsumerCodeKey: artists are asked before another one than theirs renders, and a worker that lacks what is named here says so instead of rendering."
}

variable "dashboard" {
  type        = string
  default     = "yes"
  description = "Whether CloudWatch gets a dashboard of the farm. An account's first three cost nothing, each more 3 dollars a month."
}
